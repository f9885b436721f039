# ./dev demo: two real clips through the product, then as two cameras through the server. A small one first, so that there
# is something to see early. Without a terminal it ends by itself.
. scripts/env.sh

OUT=$PWD/var/demo
STORE=$OUT/store
OCELLI=$PWD/target/release/ocelli
began=$SECONDS

# timed NAME COMMAND...: runs it and says how long it took.
timed() {
    local name=$1 start=$SECONDS
    shift
    step "$name"
    "$@"
    echo "   took $((SECONDS - start)) s, $((SECONDS - began)) s since the start"
}

# contact_sheet VIDEO PICTURE: twelve frames of the video, evenly spread, in one picture.
contact_sheet() {
    local frames
    frames=$(ffprobe -v error -select_streams v:0 -count_packets -show_entries stream=nb_read_packets \
        -of default=nokey=1:noprint_wrappers=1 "$1")
    local every=$((frames > 12 ? frames / 12 : 1))
    ffmpeg -v error -nostdin -y -i "$1" \
        -vf "select='not(mod(n,$every))',scale=400:-2,tile=4x3:padding=4" -fps_mode vfr -frames:v 1 -q:v 3 "$2"
}

# analyse FPS CLIP: annotated video, results, contact sheet and table, in a folder of the clip's name; results and tracks
# also in the store of the demo.
analyse() {
    local fps=$1 clip=$2 name folder
    name=$(basename "${clip%.*}")
    folder=$OUT/$name
    mkdir -p "$folder"
    "$OCELLI" analyze "$clip" --fps "$fps" --store "$STORE" --annotate "$folder/annotated.mp4" --summary >"$folder/results.jsonl"
    contact_sheet "$folder/annotated.mp4" "$folder/contact-sheet.jpg"
    python3 scripts/demo_table.py "$folder/results.jsonl"
}

# frames FPS CLIP: a folder of JPEGs.
frames() {
    "$OCELLI" extract "$2" --fps "$1" --out "$OUT/$(basename "${2%.*}")/frames"
}

rm -rf "$OUT"
timed "set-up: what is missing is fetched, once" bash scripts/setup.sh
timed "release build" cargo build --locked --release --package ocelli-server

street=$OCELLI_HOME/footage/bikes.mp4
camera=$OCELLI_HOME/footage/vtest.avi
timed "street clip, every frame" analyse all "$street"
echo "   first picture: $OUT/bikes/contact-sheet.jpg"
timed "surveillance camera, 5 frames a second" analyse 5 "$camera"
timed "surveillance camera, one JPEG a second" frames 1 "$camera"

step "where it is"
for name in bikes vtest; do
    for file in annotated.mp4 contact-sheet.jpg results.jsonl; do
        echo "   $OUT/$name/$file"
    done
done
echo "   $OUT/vtest/frames/: $(find "$OUT/vtest/frames" -name 'frame_*.jpg' | wc -l) JPEGs"

step "what is kept: ${OCELLI#"$PWD"/} runs --store ${STORE#"$PWD"/}"
"$OCELLI" runs --store "$STORE" | sed 's/^/   /'
echo "   try: ${OCELLI#"$PWD"/} results list --store ${STORE#"$PWD"/} --input bikes.mp4 --class bicycle --confidence 0.6"
echo "   try: ${OCELLI#"$PWD"/} results export --store ${STORE#"$PWD"/} --input vtest.avi --format mot --out vtest.txt"

step "the server with two looping cameras"
exec python3 scripts/demo_live.py "$OCELLI" "$OCELLI_HOME/footage" "$OUT/live"
