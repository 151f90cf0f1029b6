"""Files in the background: all are written, errors reach the caller, the queue is bounded."""

import threading
import time

import numpy as np
import pytest
import torch

from mmseg.evaluation.background_writer import BackgroundWriter, to_host


def test_everything_handed_over_is_done_when_it_is_closed():
    done = []
    writer = BackgroundWriter(threads=3)
    for number in range(50):
        writer.submit(done.append, number)
    writer.close()
    assert sorted(done) == list(range(50))


def test_an_error_reaches_the_next_submit_or_the_end():
    def fail():
        raise OSError('disk full')

    writer = BackgroundWriter(threads=1)
    writer.submit(fail)
    with pytest.raises(OSError, match='disk full'):
        writer.close()

    writer = BackgroundWriter(threads=1)
    writer.submit(fail)
    with pytest.raises(OSError, match='disk full'):
        for _ in range(1000):
            writer.submit(time.sleep, 0.001)
    writer.close()


def test_the_caller_waits_where_too_much_is_pending():
    writer, go, submitted = BackgroundWriter(threads=1), threading.Event(), []

    def fill():
        for number in range(writer.limit + 1):
            writer.submit(go.wait, 10)
            submitted.append(number)

    filler = threading.Thread(target=fill)
    filler.start()
    filler.join(0.3)
    assert len(submitted) == writer.limit and filler.is_alive()
    go.set()
    filler.join(10)
    assert len(submitted) == writer.limit + 1
    writer.close()


def test_what_is_queued_is_written_when_the_loop_is_interrupted():
    done = []
    writer = BackgroundWriter(threads=1)
    with pytest.raises(KeyboardInterrupt):
        try:
            writer.submit(threading.Event().wait, 0.1)
            writer.submit(done.append, 1)
            raise KeyboardInterrupt
        finally:
            writer.close()
    assert done == [1]


def test_arrays_on_the_host():
    with torch.inference_mode():
        label = torch.arange(6, dtype=torch.uint8).view(2, 3)
    np.testing.assert_array_equal(to_host(label)(), [[0, 1, 2], [3, 4, 5]])
