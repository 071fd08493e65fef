# Programs for arm64. The compiler is Swift's own for every architecture; see toolset.arm64.json.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(STATS_ARCHITECTURE arm64)
