{
  # For node-gyp in the repository. The package has the one in native/ instead: "gypfile": false in package.json keeps npm
  # from building what has a binding.gyp beside it, but neither pnpm nor Yarn.
  'includes': ['native/addon.gypi'],
}
