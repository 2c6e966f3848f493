# Thin: every recipe is ./dev; use whichever you have.

# build, make a synthetic cube, serve it, open the map
demo *args:
    ./dev demo {{args}}

# every test; --clients installs QGIS too
test *args:
    ./dev test {{args}}

# format and lints: what to run before proposing a change
check:
    ./dev check

# install what building and testing need
setup *args:
    ./dev setup {{args}}
