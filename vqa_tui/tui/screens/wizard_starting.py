"""The wizard's end: planning what was answered, taking another picture size from the plan, and starting the run."""

from dataclasses import replace

from textual import on, work

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.plan import RunPlan
from vqa_tui.operations.planning import RunRequest
from vqa_tui.tui.present.wizard_lines import cap_words
from vqa_tui.tui.run_form import RunForm
from vqa_tui.tui.screens.wizard_reading import WizardReading
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import error_words, tell, tell_error
from vqa_tui.tui.widgets.plan_step import PlanStep


class WizardStarting(WizardReading):
    """The part of the wizard that plans and starts."""

    def __init__(self, services: Services, like: RunRequest | None) -> None:
        super().__init__(services, like)
        self.made_plan: RunPlan | None = None
        """Of the answers as they stand; None until there is one."""
        self.is_starting = False

    def reason(self, action: str) -> str | None:
        """Return why `action` cannot be done now, or None when it can."""
        raise NotImplementedError

    @work(group="plan", exclusive=True, exit_on_error=False)
    async def plan(self) -> None:
        """Show what the run would take, or what keeps it from starting."""
        step = self.query_one(PlanStep)
        self.made_plan = None
        step.show_refusal("")
        step.show_cap(cap_words(self.form))
        step.show_busy()
        self.refresh_bindings()
        try:
            plan = await self.services.plan(self.form.request())
        except VqaError as error:
            step.show_problem(error_words(error))
            return
        self.made_plan = plan
        step.show_plan(plan)
        if self.focused is None or self.focused.id == "plan-box":
            step.focus_sizes()
        self.refresh_bindings()

    @on(PlanStep.SizeTaken)
    def _size_taken(self, event: PlanStep.SizeTaken) -> None:
        event.stop()
        if not self.is_starting:
            self.form = replace(self.form, max_side=event.max_side)
            self.answers_changed()
            self.plan()

    @on(PlanStep.StartWanted)
    async def _start_wanted(self, event: PlanStep.StartWanted) -> None:
        event.stop()
        if (why := self.reason("start")) is not None:
            tell(self, why, severity="warning")
        else:
            self.action_start()

    def action_start(self) -> None:
        """Start the run, once: while one is being started the key does nothing more."""
        if not self.is_starting:
            self._set_starting(True)
            self.start(self.form)

    def _set_starting(self, starting: bool) -> None:
        self.is_starting = starting
        self.query_one(PlanStep).set_starting(starting)
        self.refresh_bindings()

    @work(group="start", exit_on_error=False)
    async def start(self, form: RunForm) -> None:
        """Create the run, start its engine, and answer its id; what is wrong is said here."""
        run_id = None
        try:
            run_id = await self.services.create(form.request())
        except VqaError as error:
            self.query_one(PlanStep).show_refusal(error_words(error))
        finally:
            if run_id is None:
                self._set_starting(False)
        if run_id is None:
            return
        try:
            await self.services.start_engine(run_id)
        except Exception as error:  # The run exists whatever failed: its dashboard offers r to start it again.
            tell_error(self, error)
        self.dismiss(run_id)
