"""A small server that speaks as much S3 as the lake uses, and counts what is read from it.

Conditional writes, ranges, listings, bulk deletes and uploads in parts, over real HTTP.
"""

import hashlib
import json
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

STAMP = "2026-03-02T12:00:00.000Z"
HTTP_STAMP = "Mon, 02 Mar 2026 12:00:00 GMT"


class ObjectStore:
    """The server in a process of its own: a library that holds the interpreter cannot stop it."""

    def __init__(self):
        command = [sys.executable, __file__]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    @property
    def options(self):
        return {
            "aws_endpoint_url": f"http://127.0.0.1:{self.port}",
            "aws_region": "us-east-1",
            "aws_access_key_id": "testtest",
            "aws_secret_access_key": "testtest",
            "aws_allow_http": "true",
        }

    def ask(self, what):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/admin/{what}") as answer:
            return json.loads(answer.read())

    @property
    def sizes(self):
        return self.ask("sizes")

    @property
    def read(self):
        return self.ask("read")

    def forget(self):
        self.ask("forget")

    def leave(self, *, away):
        self.ask("away" if away else "back")

    def close(self):
        self.process.kill()
        self.process.communicate()


class _Store:
    """Objects by key, the bytes of each that were read, and whether it answers at all."""

    def __init__(self):
        self.objects = {}
        self.parts = {}
        self.read = Counter()
        self.away = False
        self.lock = threading.Lock()

    def admin(self, what):
        match what:
            case "sizes":
                return {key: len(content) for key, content in self.objects.items()}
            case "read":
                return self.read
            case "forget":
                self.read.clear()
            case _:
                self.away = what == "away"
        return {}


class _Server(ThreadingHTTPServer):
    """Serves one store."""

    store = _Store()


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer waits 40 ms for its second half

    @property
    def _store(self):
        return self.server.store

    def log_message(self, *_):
        pass

    def _asked(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        _, _, key = urllib.parse.unquote(url.path).lstrip("/").partition("/")
        return key, query

    def _answer(self, code, body=b"", **headers):
        if self._store.away:
            code, body, headers = 503, b"", {}
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _tell(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self):
        key, query = self._asked()
        if self.path.startswith("/admin/"):
            return self._tell(json.dumps(self._store.admin(key)).encode())
        if "list-type" in query:
            return self._list(query)
        return self._get(key)

    def do_HEAD(self):
        self._get(self._asked()[0])

    def do_PUT(self):
        key, query = self._asked()
        content = self._body()
        if self._store.away:
            return self._answer(503)
        with self._store.lock:
            if "uploadId" in query:
                self._store.parts[query["uploadId"]][int(query["partNumber"])] = content
            elif self.headers.get("If-None-Match") == "*" and key in self._store.objects:
                return self._answer(412)
            else:
                self._store.objects[key] = content
        return self._answer(200, ETag=_tag(content))

    def do_POST(self):
        key, query = self._asked()
        content = self._body()
        if "delete" in query:
            return self._delete_many(content)
        with self._store.lock:
            if "uploads" in query:
                name = f"upload-{len(self._store.parts)}"
                self._store.parts[name] = {}
                xml = f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId>"
                return self._answer(200, f"{xml}</InitiateMultipartUploadResult>".encode())
            parts = self._store.parts.pop(query["uploadId"])
            self._store.objects[key] = b"".join(parts[number] for number in sorted(parts))
        xml = f"<CompleteMultipartUploadResult><ETag>{_tag(self._store.objects[key])}</ETag>"
        return self._answer(200, f"{xml}</CompleteMultipartUploadResult>".encode())

    def do_DELETE(self):
        key, _ = self._asked()
        with self._store.lock:
            self._store.objects.pop(key, None)
        self._answer(204)

    def _get(self, key):
        content = self._store.objects.get(key)
        if content is None:
            return self._answer(404)
        start, end, total = 0, len(content), len(content)
        wanted = self.headers.get("Range")
        headers = {"ETag": _tag(content), "Last_Modified": HTTP_STAMP}
        if wanted:
            low, _, high = wanted.removeprefix("bytes=").partition("-")
            start = int(low) if low else max(0, total - int(high))
            end = min(total, int(high) + 1) if low and high else total
            headers["Content_Range"] = f"bytes {start}-{end - 1}/{total}"
        if self.command == "HEAD":
            self.send_response(200)
            self.send_header("ETag", _tag(content))
            self.send_header("Last-Modified", HTTP_STAMP)
            self.send_header("Content-Length", str(total))
            return self.end_headers()
        self._store.read[key] += end - start
        return self._answer(206 if wanted else 200, content[start:end], **headers)

    def _list(self, query):
        prefix, after = query.get("prefix", ""), query.get("start-after", "")
        slash = query.get("delimiter")
        with self._store.lock:
            keys = sorted(key for key in self._store.objects if key.startswith(prefix))
        folders, contents = {}, []
        for key in keys:
            rest = key[len(prefix) :]
            if slash and slash in rest:
                folders[prefix + rest.split(slash)[0] + slash] = None
            elif key > after:
                content = self._store.objects.get(key, b"")
                contents.append(
                    f"<Contents><Key>{escape(key)}</Key><Size>{len(content)}</Size>"
                    f"<LastModified>{STAMP}</LastModified><ETag>{_tag(content)}</ETag></Contents>"
                )
        common = "".join(
            f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in folders
        )
        xml = f"<ListBucketResult><IsTruncated>false</IsTruncated>{''.join(contents)}{common}"
        self._answer(200, f"{xml}</ListBucketResult>".encode())

    def _delete_many(self, content):
        gone = []
        with self._store.lock:
            for element in ET.fromstring(content).iter():  # noqa: S314  # our own words
                if element.tag.endswith("Key"):
                    self._store.objects.pop(element.text, None)
                    gone.append(f"<Deleted><Key>{escape(element.text)}</Key></Deleted>")
        self._answer(200, f"<DeleteResult>{''.join(gone)}</DeleteResult>".encode())


def _tag(content):
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


if __name__ == "__main__":
    server = _Server(("127.0.0.1", 0), _Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
