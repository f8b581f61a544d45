"""Facts of a training: the time left is that of the session at work, and everything is told that is known."""

from dataclasses import replace
from pathlib import Path

from tests.tui.made_tasks import NOW
from tests.tui.made_trainings import made_course
from vqa_tui.config.training import TrainingConfig
from vqa_tui.domain.training import TrainingPhase, TrainingSummary, TrainingWish
from vqa_tui.domain.training_course import TrainingCourse
from vqa_tui.tui.present.training_facts import training_facts, training_header
from vqa_tui.tui.present.training_words import cancel_words, stop_words, why_not

AT_WORK = TrainingSummary(
    1, "bags", "tiny", "peft", "cpu", TrainingPhase.TRAINING, "", TrainingWish.RUN, 3, True, NOW - 100, NOW - 90, None,
    40, 60, 9, 2,
)  # fmt: skip


def course_of(steps: int = 40) -> TrainingCourse:
    course = TrainingCourse()
    course.take(made_course(steps))
    return course


def facts_of(training: TrainingSummary, course: TrainingCourse) -> str:
    config = TrainingConfig(name="a", model="tiny")
    return training_facts(
        training, course, config, source="run bags", folder=Path("/data"), command=("python",), now=NOW, width=60
    ).plain


def test_what_is_known_is_told() -> None:
    plain = facts_of(AT_WORK, course_of())
    for words in (
        "40 of 60  66.7 %", "2.00 of 3", "for 1m 30s", "ETA         40s", "0.8000  at step 40", "450 tokens/s",
        "32 768 of 221 280 learn  14.8 %", "552 MB of 16 GB", "run bags", "9, 2 held out, 1 left out",
        "00005.png  its picture is broken", "LoRA r 16, alpha 16", "/data", "python",
    ):  # fmt: skip
        assert words in plain, words
    assert "ETA 40s" in training_header(AT_WORK, course_of()).plain
    assert "GPU" not in plain


def test_before_the_first_step_of_a_session_no_time_is_said_to_be_left() -> None:
    starting = replace(AT_WORK, phase=TrainingPhase.STARTING)
    assert "ETA" not in training_header(starting, course_of()).plain
    assert "ETA" not in facts_of(starting, course_of())
    stopped = replace(AT_WORK, phase=TrainingPhase.STOPPED, at_work=False, ended_at=NOW - 30)
    assert "ETA" not in facts_of(stopped, course_of()) and "took 1m 00s" in facts_of(stopped, course_of())


def test_a_gpu_tells_how_busy_and_how_hot_it_is() -> None:
    course = course_of()
    assert course.last is not None
    course.take([replace(course.last, step=41, utilisation=87.4, temperature_c=64.0)])
    plain = facts_of(AT_WORK, course)
    assert "GPU busy    87 %" in plain and "GPU heat    64 °C" in plain


def test_a_lost_one_says_what_to_do() -> None:
    lost = replace(AT_WORK, at_work=False)
    assert "r lets it go on from its" in facts_of(lost, course_of())
    assert "Press r" in (why_not("stop", lost) or "") and why_not("resume", lost) is None


def test_consequences_are_named() -> None:
    assert "leaves the queue" in stop_words(replace(AT_WORK, phase=TrainingPhase.QUEUED))
    assert "no step yet" in cancel_words(replace(AT_WORK, step=0), TrainingCourse())
    assert "all of its 5 steps are lost" in cancel_words(replace(AT_WORK, step=5), course_of(5))
    assert "The 1 step since" not in cancel_words(replace(AT_WORK, step=43), course_of(43))
    assert "3 steps since its checkpoint at step 40" in cancel_words(replace(AT_WORK, step=43), course_of(43))
    assert why_not("delete", AT_WORK) and why_not("rename", AT_WORK) is None and why_not("stop", None)


def test_one_that_is_evaluated_is_spoken_of_so() -> None:
    judged = replace(AT_WORK, phase=TrainingPhase.DONE, evaluated=True)
    assert "X ends the evaluation" in (why_not("stop", judged) or "")
    assert "X" in (why_not("resume", judged) or "") and "being evaluated" in (why_not("delete", judged) or "")
    assert why_not("cancel", replace(judged, wish=TrainingWish.CANCEL)) is None
    shown = facts_of(replace(judged, wish=TrainingWish.STOP, ended_at=NOW - 30), course_of(43))
    assert "being evaluated" in shown and "took 1m 00s" in shown and "stop wanted" not in shown
    words = cancel_words(judged, course_of(43))
    assert "what it has seen so far is lost" in words and "stays what it is" in words and "step" not in words
