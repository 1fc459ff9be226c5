"""What systemd does for a service, as far as the tests need it: listens on NOTIFY_SOCKET and prints each message with the sender's pid; or (activate)
opens a listening socket and becomes the command, with LISTEN_FDS and LISTEN_PID set.

python service_manager.py notify ADDRESS
python service_manager.py activate COUNT NAMES COMMAND...
"""

import os
import socket
import struct
import sys

if sys.argv[1] == "notify":
    address = sys.argv[2]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    listener.bind("\0" + address[1:] if address.startswith("@") else address)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    while True:
        data, ancillary, _, _ = listener.recvmsg(4096, socket.CMSG_SPACE(12))
        pid = struct.unpack("=iII", ancillary[0][2])[0]
        sys.stdout.write(f"{pid} {' '.join(data.decode().splitlines())}\n")
        sys.stdout.flush()
else:
    count, names, command = int(sys.argv[2]), sys.argv[3], sys.argv[4:]
    sockets = []
    for number in range(count):
        one = socket.socket()
        one.bind(("127.0.0.1", 0))
        one.listen(16)
        os.dup2(one.fileno(), 40 + number)
        sockets.append(one)
    for number in range(count):
        os.dup2(40 + number, 3 + number)
        os.set_inheritable(3 + number, True)
        os.close(40 + number)
    os.environ.update(LISTEN_FDS=str(count), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=names)
    os.execv(command[0], command)
