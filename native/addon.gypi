{
  # The same sources as CMakeLists.txt, for machines without CMake.
  'targets': [
    {
      'target_name': 'mortise',
      'sources': [
        'addon.cc',
        'arguments.cc',
        'files.cc',
        'futex.cc',
        'helper.cc',
        'life.cc',
        'mappings.cc',
        'watch.cc',
      ],
      'include_dirs': ["<!(node -p \"require('node-addon-api').include_dir\")"],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'],
      'cflags_cc': ['-std=c++17', '-fvisibility=hidden'],
      'conditions': [
        ['OS=="linux"', {
          'sources': ['platform_posix.cc', 'platform_linux.cc'],
          'ldflags': ['-Wl,-z,nodelete'],
        }],
        ['OS=="mac"', {
          'sources': ['platform_posix.cc', 'platform_macos.cc', 'platform_no_futex.cc'],
          'xcode_settings': { 'CLANG_CXX_LANGUAGE_STANDARD': 'c++17', 'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES' },
        }],
        ['OS=="win"', {
          'sources': ['platform_windows.cc', 'platform_no_futex.cc'],
          'msvs_settings': { 'VCCLCompilerTool': { 'AdditionalOptions': ['/std:c++17'] } },
        }],
      ],
    },
  ],
}
