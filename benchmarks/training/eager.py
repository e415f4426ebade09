#!/usr/bin/env python3
"""One side of compare.py: PyTorch eager. Reads `run COUNT` lines, answers with the nanoseconds of each step.

    eager.py NETWORK THREADS
"""

import sys
import time


import torch

import networks


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    module = networks.build(name)
    # The quickest of its forms: all parameters in few calls.
    optimizer = torch.optim.Adam(module.parameters(), lr=networks.rate(name), foreach=True)
    given = [(torch.from_numpy(x), torch.from_numpy(labels)) for x, labels in networks.batches(name, 20)]
    print("ready", torch.__version__, flush=True)
    done = 0
    for line in sys.stdin:
        times = []
        for _ in range(int(line.split()[1])):
            x, labels = given[done % len(given)]
            start = time.perf_counter_ns()
            loss = networks.loss_of(module, x, labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            loss.item()
            times.append(time.perf_counter_ns() - start)
            done += 1
        print(*times, flush=True)


if __name__ == "__main__":
    main()
