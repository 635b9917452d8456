{
  # The same sources as native/CMakeLists.txt, for machines without CMake. No install runs it by itself:
  # "gypfile": false in package.json.
  'targets': [
    {
      'target_name': 'mortise',
      'sources': [
        'native/addon.cc',
        'native/arguments.cc',
        'native/files.cc',
        'native/futex.cc',
        'native/helper.cc',
        'native/life.cc',
        'native/mappings.cc',
        'native/watch.cc',
      ],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'],
      'cflags_cc': ['-std=c++17', '-fvisibility=hidden'],
      'conditions': [
        ['OS=="linux"', {
          'sources': ['native/platform_posix.cc', 'native/platform_linux.cc'],
          'ldflags': ['-Wl,-z,nodelete'],
        }],
        ['OS=="mac"', {
          'sources': ['native/platform_posix.cc', 'native/platform_macos.cc', 'native/platform_no_futex.cc'],
          'xcode_settings': { 'CLANG_CXX_LANGUAGE_STANDARD': 'c++17', 'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES' },
        }],
        ['OS=="win"', {
          'sources': ['native/platform_windows.cc', 'native/platform_no_futex.cc'],
          'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['/std:c++17'] } },
        }],
      ],
    },
  ],
}
