"""Serves video files over RTSP on 127.0.0.1.

Usage: server.py [--port PORT] [--user NAME --password WORD] [--shared] [--sound aac|alaw] PATH...
Each file is at /0, /1, ..., from its start for each client; with --shared it is read once for all of them. The port is the
first line of standard output; then a line for each client that leaves with TEARDOWN. Ends when standard input does.
"""

import argparse
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--port", default="0")
parser.add_argument("--user")
parser.add_argument("--password")
parser.add_argument("--shared", action="store_true")
parser.add_argument("--sound", choices=["aac", "alaw"])
parser.add_argument("files", nargs="+")
options = parser.parse_args()

Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(options.port)


def say(line):
    print(line, flush=True)


def left(_client, _context):
    say("teardown")


server.connect("client-connected", lambda _server, client: client.connect("teardown-request", left))

mounts = server.get_mount_points()
for index, path in enumerate(options.files):
    codec = "h265" if "X265" in path else "h264"
    factory = GstRtspServer.RTSPMediaFactory()
    pictures = f"{codec}parse ! rtp{codec}pay name=pay0 pt=96 config-interval=-1"
    if options.sound:
        sound = "aacparse ! rtpmp4gpay" if options.sound == "aac" else "rtppcmapay"
        branches = f"d. ! queue ! {pictures} d. ! queue ! {sound} name=pay1 pt=97"
        factory.set_launch(f'( filesrc location="{path}" ! qtdemux name=d {branches} )')
    else:
        factory.set_launch(f'( filesrc location="{path}" ! qtdemux ! {pictures} )')
    factory.set_shared(options.shared)
    if options.user:
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        factory.set_permissions(permissions)
    mounts.add_factory(f"/{index}", factory)

if options.user:
    gi.require_version("GstRtsp", "1.0")
    from gi.repository import GstRtsp

    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest(options.user, options.password, token)
    server.set_auth(auth)

loop = GLib.MainLoop()
server.attach(None)
say(server.get_bound_port())
GLib.io_add_watch(sys.stdin.fileno(), GLib.IO_IN | GLib.IO_HUP, lambda *_: loop.quit() or False)
loop.run()
