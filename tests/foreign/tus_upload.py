"""Uploads one file to a running server with `tuspy`, as anybody's program would.

Usage: tus_upload.py JSON. The JSON says `endpoint`, `token`, `path`, and perhaps `chunk`, `checksum`
(every chunk is sent with one), `store` (a file that remembers where uploads stand, so that the next
process goes on).

Prints `again` for each new attempt, `resumed` if the upload had been begun before, and at the end
`url URL`.
"""

import json
import os
import sys
import time

from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed
from tusclient.storage.filestorage import FileStorage

# So often is tried again: a server needs its time to start.
ATTEMPTS = 300
PAUSE_S = 0.05
# Statuses after which the same request may go well.
PASSING = (409, 423)


def say(line):
    os.write(1, f"{line}\n".encode())


def uploader(wanted):
    client = TusClient(wanted["endpoint"], headers={"Authorization": f"Bearer {wanted['token']}"})
    more = {}
    if "store" in wanted:
        more = {"store_url": True, "url_storage": FileStorage(wanted["store"])}
    if "chunk" in wanted:
        more["chunk_size"] = wanted["chunk"]
    return client.uploader(
        wanted["path"],
        metadata={"filename": os.path.basename(wanted["path"]), "note": "ünïcödé 你好"},
        upload_checksum=wanted.get("checksum", False),
        **more,
    )


def main(wanted):
    upload = None
    for _ in range(ATTEMPTS):
        try:
            if upload is None:
                upload = uploader(wanted)
                if upload.url:
                    say("resumed")
            elif upload.url:
                upload.offset = upload.get_offset()
            upload.upload()
            # An empty or a finished file needs no content: ask what became of it.
            assert upload.get_offset() == os.path.getsize(wanted["path"])
            say(f"url {upload.url}")
            return
        except (TusCommunicationError, TusUploadFailed) as error:
            status = error.status_code or 0
            say(f"again {status} {'' if status else error}")
            if 400 <= status < 500 and status not in PASSING:
                raise
        time.sleep(PAUSE_S)
    sys.exit("no attempt went well")


main(json.loads(sys.argv[1]))
