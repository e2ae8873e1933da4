"""Many songs into a corpus of mixing graphs: found in a folder or a manifest, recovered by several processes
or on a cluster, gathered in tables.

DIR/graphs/SONG/…   what `recover` writes, without its audio, with song.json and graph-nodelink.json
DIR/failures.jsonl  one line for each song that failed, with its cause
DIR/*.parquet       songs, strips and devices of all of them
"""
