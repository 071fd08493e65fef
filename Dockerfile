# The packages of all architectures, without anything installed here but Docker:
#
#   docker build --output debs .
FROM swift:6.3-bookworm AS build
COPY . /stats-recording
WORKDIR /stats-recording
RUN ./build.sh --all

FROM scratch
COPY --from=build /stats-recording/debs/*.deb /
