# weft as a container image.
#   docker build -t weft .                     the image for task definitions: target compat
#   docker build -t weft:slim --target slim .  without curl
# Build arguments: BASE, any Debian 13 image; WEFT_COMMIT, the commit that --version names.
ARG BASE=debian:trixie-slim

FROM ${BASE} AS build
WORKDIR /src
COPY scripts/setup scripts/packages.txt scripts/
RUN scripts/setup
COPY . .
ARG WEFT_COMMIT
RUN scripts/build && install -D -s -t /out/usr/bin build/weft build/weft-iptables

# Both programs, the libraries they need, and iptables, which weft-iptables drives.
FROM ${BASE} AS slim
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      iptables libcares2 libevent-core-2.1-7t64 libevent-extra-2.1-7t64 libfyaml0 \
      libpcre2-8-0 libprotobuf-c1 libxxhash0 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && groupadd --gid 1337 weft \
 && useradd --uid 1337 --gid 1337 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin weft
COPY --from=build /out/ /
# Task definitions and scripts that call envoy go on working.
RUN ln -s weft /usr/bin/envoy && weft --version && weft-iptables --version
# By number: Kubernetes' runAsNonRoot and the redirect rules compare numbers.
USER 1337:1337
# Egress, ingress, admin.
EXPOSE 15001 15000 9901
HEALTHCHECK --start-period=10s --interval=5s --timeout=2s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9901 && printf 'GET /server_info HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && grep state <&3 | grep -q LIVE"]
ENTRYPOINT ["/usr/bin/weft"]

# With what the health checks of task definitions call inside the container: sh, bash, curl, grep, sleep.
FROM slim AS compat
USER 0
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends curl \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
USER 1337:1337
# As ECS documents it for App Mesh.
HEALTHCHECK --start-period=10s --interval=5s --timeout=2s --retries=3 \
  CMD curl -s http://localhost:9901/server_info | grep state | grep -q LIVE
