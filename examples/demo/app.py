"""A small HTTP server that names itself. With --calls it asks another service first and passes its answer on.

It knows nothing of proxies: it calls a service by its name.
"""
import argparse
import http.client
import http.server
import json
import os
import urllib.parse

TIMEOUT = 10


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", type=address, required=True, metavar="ADDRESS:PORT")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", default="v1")
    parser.add_argument("--calls", metavar="URL", help="the service that is asked")
    parser.add_argument("--connect", type=address, metavar="ADDRESS:PORT",
                        help="where to find that service, instead of what its name resolves to")
    return parser.parse_args()


def ask(url, connect):
    """(status, parsed answer or None)"""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(*(connect or (parts.hostname, parts.port)), timeout=TIMEOUT)
    try:
        connection.request("GET", parts.path or "/", headers={"Host": parts.netloc})
        answer = connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if answer.status == 200 else None
    except (OSError, ValueError, http.client.HTTPException):
        return 502, None
    finally:
        connection.close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one write for headers and body
    arguments = None

    def do_GET(self):
        status, answer = 200, {"service": self.arguments.name, "version": self.arguments.version, "pid": os.getpid()}
        if self.arguments.calls:
            status, answer["answer"] = ask(self.arguments.calls, self.arguments.connect)
        body = json.dumps(answer).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    Handler.arguments = parse_arguments()
    Server(Handler.arguments.listen, Handler).serve_forever()


if __name__ == "__main__":
    main()
