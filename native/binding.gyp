{
  # For node-gyp where the package is installed. No install runs it by itself.
  'includes': ['addon.gypi'],
}
