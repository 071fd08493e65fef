# Programs for amd64. The compiler is Swift's own for every architecture; see toolset.amd64.json.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(STATS_ARCHITECTURE amd64)
