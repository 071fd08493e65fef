# Programs for armhf. The compiler is Swift's own for every architecture; see toolset.armhf.json.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
set(STATS_ARCHITECTURE armhf)
