"""nginx with its RTMP module, as Debian has it, beside a running server: what publishers and viewers cost there."""

import socket
import time

from measure import Broken
from server import START_S, Process

# One process does everything, so that its CPU is all there is. What it writes stays until the folder goes.
CONFIGURATION = """
load_module {module};
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
rtmp {{
    access_log off;
    server {{
        listen 127.0.0.1:{rtmp};
        application live {{
            live on;
            hls on;
            hls_path {folder}/hls;
            hls_fragment 2s;
            hls_playlist_length 30s;
            hls_cleanup off;
        }}
    }}
}}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    types {{ application/vnd.apple.mpegurl m3u8; video/mp4 mp4; }}
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{http};
        location / {{ root {folder}/www; }}
        location /media/ {{ alias {media}/; }}
    }}
}}
"""


def found(home):
    """Its program and the module; nothing where scripts/nginx.sh could not get them."""
    program, module = home / "nginx/usr/sbin/nginx", home / "nginx/usr/lib/nginx/modules/ngx_rtmp_module.so"
    return (program, module) if program.is_file() and module.is_file() else None


class Nginx(Process):
    """Takes publishers, and serves `media` below `/media/` and whatever is in `www`."""

    def __init__(self, program, module, folder, media):
        self.folder = folder.absolute()
        for name in ("hls", "www"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.rtmp_port, self.http_port = free_ports(2)
        text = CONFIGURATION.format(module=module, folder=self.folder, media=media, rtmp=self.rtmp_port, http=self.http_port)
        (self.folder / "conf").write_text(text)
        super().__init__([program, "-p", self.folder, "-c", self.folder / "conf"], self.folder / "log")
        try:
            self.listens()
        except Broken:
            self.__exit__()
            raise

    def listens(self):
        end = time.monotonic() + START_S
        while time.monotonic() < end and self.child.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.http_port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Broken(f"nginx does not listen: {self.log.read_text(errors='replace')[-2000:]}")

    def written(self):
        """Segments so far, and their bytes."""
        sizes = [path.stat().st_size for path in (self.folder / "hls").glob("*.ts")]
        return len(sizes), sum(sizes)


def free_ports(count):
    """Ports that nobody listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
