"""An S3 server that others wrote (moto), in a process of its own, with one empty bucket.

Ours counts what is read and can go away; this one shows that we did not only agree with ourselves.
"""

import contextlib
import http.client
import subprocess
import sys

BUCKET = "bucket"


class OtherStore:
    def __init__(self):
        command = [sys.executable, "-c", _PROGRAM]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.port = int(self.process.stdout.readline())
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port)) as asking:
            asking.request("PUT", f"/{BUCKET}")
            assert asking.getresponse().status == http.HTTPStatus.OK

    @property
    def options(self):
        return {
            "aws_endpoint_url": f"http://127.0.0.1:{self.port}",
            "aws_region": "us-east-1",
            "aws_access_key_id": "testtest",
            "aws_secret_access_key": "testtest",
            "aws_allow_http": "true",
        }

    def close(self):
        self.process.kill()
        self.process.communicate()


_PROGRAM = """
import sys, time
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
while True:
    time.sleep(60)
"""
