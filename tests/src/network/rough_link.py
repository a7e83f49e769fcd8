"""A link of two TUN devices on which packets are lost, late, doubled and swapped, as a seed says.

rough_link.py SEED FIRST SECOND makes the devices, which are gone when it ends, and says "ready". A
line on standard input says what becomes of packets from then on; the answer is a line that says what
became of them since it was said last. A line with "until_lost" is answered with the same when so many
are lost, or time is over ("within_s"). Ends with its input.
"""

import errno
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time

# linux/if_tun.h: whole IP packets, and nothing in front of them.
TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
# No packet is longer: their MTU is 1,500.
PACKET_BYTES_MAX = 2048
# Nobody waits for more lines at once.
INPUT_BYTES_MAX = 4096


def tun(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    wanted = struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI)
    fcntl.ioctl(device, TUNSETIFF, wanted)
    return device


class Link:
    def __init__(self, seed, first, second):
        self.dice = random.Random(seed)
        self.other_end = {first: second, second: first}
        # What is under way: when it arrives, its number, where, and the packet.
        self.under_way = []
        self.number = 0
        # The highest number that arrived at each end.
        self.newest = {first: 0, second: 0}
        # How many losses somebody waits for, and until when.
        self.awaited = None
        self.becomes({"lost_percent": 0, "doubled_percent": 0, "late_ms": [0, 0]})

    def becomes(self, faults):
        self.faults = faults
        self.counts = {"carried": 0, "lost": 0, "late": 0, "doubled": 0, "overtaken": 0}

    def happens(self, percent):
        return self.dice.random() * 100 < percent

    def take_from(self, end):
        try:
            packet = os.read(end, PACKET_BYTES_MAX)
        except BlockingIOError:
            return
        # What the system says of itself over IPv6 is nobody's message.
        if packet[0] >> 4 != 4:
            return
        if self.happens(self.faults["lost_percent"]):
            self.counts["lost"] += 1
            return
        self.send(self.other_end[end], packet)
        if self.happens(self.faults["doubled_percent"]):
            self.counts["doubled"] += 1
            self.send(self.other_end[end], packet)

    def send(self, end, packet):
        late = self.dice.uniform(*self.faults["late_ms"])
        if late > 0:
            self.counts["late"] += 1
        self.number += 1
        heapq.heappush(self.under_way, (time.monotonic() + late / 1000, self.number, end, packet))

    def deliver(self):
        while self.under_way and self.under_way[0][0] <= time.monotonic():
            _, number, end, packet = heapq.heappop(self.under_way)
            if number < self.newest[end]:
                self.counts["overtaken"] += 1
            self.newest[end] = max(self.newest[end], number)
            self.counts["carried"] += 1
            try:
                os.write(end, packet)
            except OSError as error:
                # The end is not up yet, and takes nothing.
                if error.errno != errno.EIO:
                    raise

    def seconds_left(self):
        times = [self.under_way[0][0]] if self.under_way else []
        times += [self.awaited[1]] if self.awaited else []
        return max(0, min(times) - time.monotonic()) if times else None

    def hear(self, said):
        if "until_lost" in said:
            self.awaited = (said["until_lost"], time.monotonic() + said["within_s"])
            return
        self.tell()
        self.becomes(said)

    def tell_who_waits(self):
        if not self.awaited:
            return
        losses, until = self.awaited
        if self.counts["lost"] >= losses or time.monotonic() >= until:
            self.awaited = None
            self.tell()

    def tell(self):
        print(json.dumps(self.counts), flush=True)


def main():
    seed, first, second = sys.argv[1:]
    ends = [tun(first), tun(second)]
    link = Link(int(seed), *ends)
    print("ready", flush=True)
    words = b""
    while True:
        readable, _, _ = select.select([0, *ends], [], [], link.seconds_left())
        for end in ends:
            if end in readable:
                link.take_from(end)
        link.deliver()
        link.tell_who_waits()
        if 0 not in readable:
            continue
        said = os.read(0, INPUT_BYTES_MAX)
        if not said:
            return
        *lines, words = (words + said).split(b"\n")
        for line in lines:
            link.hear(json.loads(line))


main()
