#!/usr/bin/env bash
# Builds every fuzz target for OSS-Fuzz or ClusterFuzzLite. For each there is in $OUT the binary, its seeds, its options,
# and its dictionary if it has one. The engine calls it in the image that the Dockerfile makes, where nightly Rust is the
# default; `.ci/engine` calls it in the same way.
#
# Sanitizer and libFuzzer come from the image by RUSTFLAGS and CUSTOM_LIBFUZZER_PATH, which cargo and libfuzzer-sys read.
set -euo pipefail
cd "$SRC/ringstorm"

# Said like this, and not by an argument, it holds as well where the image has its own way of building: for coverage.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$WORK/target}
cargo fuzz build -O --debug-assertions

host=$(rustc -vV | sed -n 's/^host: //p')
for target in $(.ci/targets); do
    cp "$CARGO_TARGET_DIR/$host/release/$target" "$OUT/"
    # An archive that is there would be added to.
    rm -f "$OUT/${target}_seed_corpus.zip"
    zip -qrj "$OUT/${target}_seed_corpus.zip" "corpus/$target"
    # libFuzzer's own choice unless a carried-over corpus has longer inputs; then they would grow from night to night.
    printf '[libfuzzer]\nmax_len = 4096\n' >"$OUT/$target.options"
    if [[ -e fuzz/$target.dict ]]; then
        cp "fuzz/$target.dict" "$OUT/"
    fi
done
