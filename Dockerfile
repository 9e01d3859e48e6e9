# For people and services that build images from a Dockerfile. `cargo xtask image` makes the same
# image without a container engine, and is what `cargo xtask deploy` uses.
ARG BUILDER=rust:1.95-bookworm
FROM ${BUILDER} AS build
WORKDIR /source
COPY . .
# Static, so that the image needs no libraries; --target keeps the flag away from build scripts.
RUN --mount=type=cache,target=/source/target \
    RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --locked --package app --profile release-image --target x86_64-unknown-linux-gnu \
 && mkdir -p /image/app/cache /image/etc /image/tmp \
 && cp target/x86_64-unknown-linux-gnu/release-image/app /image/app/app \
 && printf 'root:x:0:0:root:/:/none\nnonroot:x:65532:65532::/app:/none\n' > /image/etc/passwd \
 && printf 'root:x:0:\nnonroot:x:65532:\n' > /image/etc/group \
 && printf 'hosts: files dns\n' > /image/etc/nsswitch.conf \
 && chmod 1777 /image/tmp && chown 65532:65532 /image/app/cache

FROM scratch
COPY --from=build /image /
USER 65532:65532
EXPOSE 8501 8000
# Fargate mounts an empty /tmp that only root may write, unless the image declares the volume itself.
VOLUME /tmp
STOPSIGNAL SIGTERM
ENTRYPOINT ["/app/app"]
