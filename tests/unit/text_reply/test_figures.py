from uuid import UUID

import pytest

from impl.text_reply.figures import Figures

PLUGIN = UUID(int=1)


def test_before_the_first_answer_there_is_no_latency() -> None:
    report = Figures().heartbeat(PLUGIN)

    assert (report.plugin_id, report.status) == (PLUGIN, "active")
    assert (report.latency_ms, report.queue_depth) == (None, 0)
    assert report.metrics == {"answers_total": 0, "model_failures_total": 0}


def test_answers_are_counted_timed_and_seen_while_in_flight() -> None:
    figures = Figures()
    with figures.answering(), figures.answering():
        assert figures.heartbeat(PLUGIN).queue_depth == 2
    figures.model_failed()

    report = figures.heartbeat(PLUGIN)

    assert report.queue_depth == 0
    assert report.latency_ms is not None
    assert report.metrics == {"answers_total": 2, "model_failures_total": 1}


def test_what_raises_is_no_answer_and_no_longer_in_flight() -> None:
    figures = Figures()
    with pytest.raises(LookupError), figures.answering():
        raise LookupError

    report = figures.heartbeat(PLUGIN)
    assert (report.queue_depth, report.metrics["answers_total"]) == (0, 0)
