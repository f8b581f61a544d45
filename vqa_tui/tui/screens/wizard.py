"""The new-run wizard: dataset, recipe, endpoint, size and plan, each a step that one can go back to."""

from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Static

from vqa_tui.domain.failure import VqaError
from vqa_tui.operations.planning import RunRequest
from vqa_tui.tui.preferences import MAY_ONLY_LOOK
from vqa_tui.tui.present.wizard_lines import Step, answers_line, wizard_header
from vqa_tui.tui.present.wizard_rows import no_dataset
from vqa_tui.tui.run_form import field_problems
from vqa_tui.tui.screens.dialogs import Question
from vqa_tui.tui.screens.model_choice import ModelDialog
from vqa_tui.tui.screens.wizard_starting import WizardStarting
from vqa_tui.tui.services import Services
from vqa_tui.tui.toasts import tell
from vqa_tui.tui.widgets.choice_list import ChoiceList
from vqa_tui.tui.widgets.dataset_step import DatasetStep
from vqa_tui.tui.widgets.endpoint_step import EndpointStep
from vqa_tui.tui.widgets.key_bar import KeyBar
from vqa_tui.tui.widgets.plan_step import PlanStep
from vqa_tui.tui.widgets.recipe_step import RecipeStep
from vqa_tui.tui.widgets.size_step import SizeStep
from vqa_tui.tui.widgets.step_line import StepLine

_STEP_OF = {
    "import_dataset": Step.DATASET,
    "other_picture": Step.RECIPE,
    "check": Step.ENDPOINT,
    "models": Step.ENDPOINT,
}
"""Actions that belong to one step; elsewhere their keys are not there."""
_FOCUS_OF = {
    Step.DATASET: "#datasets ChoiceTable",
    Step.RECIPE: "#recipes ChoiceTable",
    Step.ENDPOINT: "#endpoints ChoiceTable",
    Step.SIZE: "#size-limit",
}


class NewRunWizard(WizardStarting):
    """Answers the id of the run that was started, or None.

    With `like` it opens on the plan of the same run again; with `dataset` the cursor stands on that one.
    """

    CSS_PATH: ClassVar[list[str | PurePath]] = ["wizard.tcss"]
    AUTO_FOCUS = None
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (22, "-usual"), (28, "-tall")]  # noqa: RUF012 - Textual declares it
    WRITES: ClassVar[frozenset[str]] = frozenset({"import_dataset", "check", "start"})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "back", id="wizard.back", tooltip="One step back; from the first one, leave"),
        Binding(
            "q", "leave", "leave", id="wizard.leave", tooltip="Leave the wizard, and ask where answers would be lost"
        ),
        Binding("ctrl+n", "next", "next", id="wizard.next", tooltip="Take what is under the cursor and go on"),
        Binding("enter", "next", "Next", id="wizard.enter", tooltip="Go on to the next step", show=False),
        Binding("i", "import_dataset", "import", id="wizard.import", tooltip="Import another dataset"),
        Binding(
            "right_square_bracket",
            "other_picture(1)",
            "picture",
            key_display="]",
            id="wizard.next-picture",
            tooltip="The prompt for the next picture",
        ),
        Binding(
            "left_square_bracket",
            "other_picture(-1)",
            "Picture before",
            key_display="[",
            id="wizard.previous-picture",
            tooltip="The prompt for the picture before",
            show=False,
        ),
        Binding(
            "t",
            "check",
            "check",
            id="wizard.check",
            tooltip="Ask the endpoint for real, about one tiny picture with each key",
        ),
        Binding("m", "models", "model", id="wizard.models", tooltip="Pick another model from the endpoint's list"),
        Binding("ctrl+s", "start", "start", id="wizard.start", tooltip="Create the run and start its engine"),
        *(
            Binding(
                str(step.value),
                f"go({step.value})",
                step.word,
                id=f"wizard.{step.word}",
                tooltip=f"To the step: {step.word}",
                show=False,
            )
            for step in Step
        ),
    ]

    def __init__(self, services: Services, like: RunRequest | None = None, *, dataset: str | None = None) -> None:
        super().__init__(services, like)
        self._dataset = dataset
        self._given_form = self.form
        self.step = Step.DATASET if like is None else Step.PLAN
        self._was_shown = False
        self._seen = set[Step]() if like is None else set(Step)

    def compose(self) -> ComposeResult:
        yield Static(wizard_header(self.services.place), id="wizard-header")
        yield StepLine(id="wizard-steps")
        with ContentSwitcher(id="wizard-body"):
            empty = no_dataset(self.services.command("demo"), self.services.command("dataset import folder PATH"))
            yield DatasetStep(empty, id="step-dataset")
            yield RecipeStep(id="step-recipe", classes="step")
            yield EndpointStep(id="step-endpoint", classes="step")
            yield SizeStep(id="step-size")
            yield PlanStep(id="step-plan")
        yield Static("", id="wizard-answers")
        yield KeyBar()

    def on_mount(self) -> None:
        self.read_names()
        self.read_datasets(self._dataset)
        self.read_recipes()
        self.read_endpoints()
        self.read_chosen_facts()
        self._enter(self.step)

    def on_screen_resume(self) -> None:
        """What can be chosen may have changed while another screen lay over this one."""
        if self._was_shown:
            self.read_again()
            self._read_beside()
        self._was_shown = True

    def _read_beside(self) -> None:
        """Read what stands beside the list of this step."""
        if self.step is Step.RECIPE:
            self.read_preview()
        elif self.step is Step.ENDPOINT:
            self.read_facts()

    # What is answered, and what it allows.

    @property
    def _asked_chosen(self) -> tuple[str, str | None]:
        return self.form.endpoint or "", self.form.model

    def _problems(self) -> dict[str, VqaError]:
        facts = self.facts.get(self._asked_chosen)
        price_known = facts is None or facts.prices is not None
        return dict(field_problems(self.form, taken=frozenset(self.names.values()), price_known=price_known))

    def _done(self) -> set[Step]:
        """Return the steps that are answered."""
        answers = {Step.DATASET: self.form.dataset, Step.RECIPE: self.form.recipe, Step.ENDPOINT: self.form.endpoint}
        done = {step for step, answer in answers.items() if answer}
        if Step.SIZE in self._seen and not self._problems():
            done.add(Step.SIZE)
        return done

    def _why_unreachable(self, step: Step) -> str | None:
        """Return what has to be done before one can be at a step."""
        done = self._done()
        for earlier in (Step.DATASET, Step.RECIPE, Step.ENDPOINT):
            if earlier < step and earlier not in done:
                article = "an" if earlier is Step.ENDPOINT else "a"
                return f"Choose {article} {earlier.word} first: Enter takes the one under the cursor."
        if step is Step.PLAN and (problems := self._problems()):
            return f"Mend this first: {next(iter(problems.values()))}"
        return None

    def answers_changed(self) -> None:
        if not self.is_mounted:
            return
        self.query_one(StepLine).show(self.step, self._done())
        like = "" if self.form.like is None else self.names.get(self.form.like, "")
        self.query_one("#wizard-answers", Static).update(answers_line(self.form, like=like), layout=False)
        if self.step is Step.SIZE:
            self.query_one(SizeStep).show_problems(self._problems())
        self.refresh_bindings()

    def why_not(self, action: str) -> str | None:
        """Return why `action` cannot be done now, or None when it can."""
        if self.is_starting and action in ("back", "leave", "next", "go", "start"):
            return "The run is being started."
        if action == "next" and self.step is Step.PLAN:
            return "This is the last step: ctrl+s starts the run."
        if action == "start" and self.step is not Step.PLAN:
            return "Look at the plan first: the last step starts the run."
        if action == "start" and self.made_plan is None:
            return "There is no plan yet."
        if action in ("check", "models") and self.asked is None:
            return "There is no endpoint."
        if action == "check" and self.asked is not None and self.is_being_tried(self.asked):
            return "The endpoint is being asked."
        return None

    def reason(self, action: str) -> str | None:
        """Return why the key of `action` is grey, or None when it is not."""
        if self.services.read_only and action in self.WRITES:
            return MAY_ONLY_LOOK
        return self.why_not(action)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide what belongs to another step; grey out what cannot be done now."""
        if not self.is_mounted:
            return True
        if _STEP_OF.get(action, self.step) is not self.step:
            return False
        return None if self.reason(action) else True

    # Going from step to step.

    def _enter(self, step: Step) -> None:
        """Show a step."""
        if self.step is Step.PLAN and step is not Step.PLAN:
            self.workers.cancel_group(self, "plan")
        self.step = step
        self._seen.add(step)
        self.query_one("#wizard-body", ContentSwitcher).current = f"step-{step.word}"
        if step is Step.PLAN:
            self.query_one(PlanStep).focus_sizes()
            self.plan()
        else:
            self.query_one(_FOCUS_OF[step]).focus()
        self._read_beside()
        if step is Step.SIZE:
            self.query_one(SizeStep).load(self.form)
        self.answers_changed()

    def _go(self, step: Step) -> None:
        """Go to a step, or say what has to be done first."""
        self._take_in_sizes()
        if (why := self._why_unreachable(step)) is not None:
            tell(self, why, severity="warning")
        elif step is not self.step:
            self._enter(step)

    def _take_in_sizes(self) -> None:
        """A key that leaves the fields may come before the message about the last one that was typed into them."""
        if self.step is Step.SIZE:
            self.form = self.query_one(SizeStep).form

    def action_go(self, number: int) -> None:
        self._go(Step(number))

    @on(StepLine.Clicked)
    def _step_clicked(self, event: StepLine.Clicked) -> None:
        event.stop()
        if not self.is_starting:
            self._go(event.step)

    def action_back(self) -> None:
        """One step back; from the first one, leave: nothing has been done."""
        if self.step is Step.DATASET:
            self.dismiss(None)
        else:
            self._take_in_sizes()
            self._enter(Step(self.step - 1))

    @work(group="leave", exit_on_error=False)
    async def action_leave(self) -> None:
        """Leave from any step: what was answered is lost, so a person is asked."""
        self._take_in_sizes()
        words = "No run is started, and what you have chosen here is forgotten. Esc goes back by one step only."
        question = Question("Leave the wizard?", words, yes="Leave it", no="Stay")
        if self.form == self._given_form or await self.ask(question):
            self.dismiss(None)

    def action_next(self) -> None:
        """Take what is under the cursor, or the path that was typed, and go on."""
        if self.step is Step.SIZE:
            self._go(Step.PLAN)
            return
        choices = self.query_one(f"#step-{self.step.word}").query_one(ChoiceList)
        if choices.submit_path():
            return
        if choices.cursor_id is None:
            tell(self, f"There is nothing to choose: no {self.step.word} is in the list.", severity="warning")
        else:
            self._take(str(choices.cursor_id))

    @on(ChoiceList.Taken)
    def _taken(self, event: ChoiceList.Taken) -> None:
        event.stop()
        self._take(str(event.row_id))

    def _take(self, name: str) -> None:
        """Answer this step with a row, if it can be used, and go on."""
        if self.step is Step.DATASET:
            if name != self.form.dataset:
                self.item, self._shown_part = None, ("", 1)
            self.form = replace(self.form, dataset=name)
            self.read_datasets()
        elif self.step in (Step.RECIPE, Step.ENDPOINT):
            is_recipe = self.step is Step.RECIPE
            file = (self.query_one(RecipeStep) if is_recipe else self.query_one(EndpointStep)).config.file(name)
            if file is None or file.problem:
                tell(self, f"{name} cannot be used: {file.problem if file else 'it is gone'}", severity="error")
                return
            if is_recipe:
                self.form = replace(self.form, recipe=name)
                self.read_recipes()
            else:
                self.form = replace(self.form, endpoint=name, model=self.models.get(name))
                self.read_endpoints()
                self.read_chosen_facts()
        self._go(Step(self.step + 1))

    @on(ChoiceList.PathTyped)
    def _path_typed(self, event: ChoiceList.PathTyped) -> None:
        event.stop()
        self.take_path(RecipeStep if self.step is Step.RECIPE else EndpointStep, event.path)

    @on(ChoiceList.Moved)
    def _looked_at(self, event: ChoiceList.Moved) -> None:
        """Another row is under the cursor: what stands beside the list follows."""
        event.stop()
        self._read_beside()

    @on(SizeStep.Changed)
    def _sized(self, event: SizeStep.Changed) -> None:
        event.stop()
        self.form = event.form
        self.answers_changed()

    @on(SizeStep.Finished)
    def _sizes_finished(self, event: SizeStep.Finished) -> None:
        event.stop()
        self._go(Step.PLAN)

    # What a step can do besides.

    @work(group="import", exclusive=True, exit_on_error=False)
    async def action_import_dataset(self) -> None:
        from vqa_tui.tui.screens.import_dataset import ImportDialog  # only here: it is seldom wanted

        name = await self.ask(ImportDialog(self.services))
        if name is not None:
            await self.show_datasets(name)
            self.query_one(DatasetStep).choices.focus_rows()

    def action_other_picture(self, by: int) -> None:
        self.other_picture(by)

    def action_check(self) -> None:
        if self.asked is not None:
            self.try_endpoint(self.asked)

    @work(group="model", exclusive=True, exit_on_error=False)
    async def action_models(self) -> None:
        """Pick the model that the endpoint under the cursor is asked for."""
        asked = self.asked
        if asked is None:
            return
        name = asked[0]
        facts = self.facts.get(asked) or await self.services.starting.endpoint_facts(*asked)
        read = partial(self.services.library.offered_models, name)
        dialog = ModelDialog(name, current=facts.model, in_file=facts.model_in_file, read=read)
        picked = await self.ask(dialog)
        if picked is None:
            return
        model = None if picked == facts.model_in_file else picked
        await self.services.starting.endpoint_facts(name, model)  # Raises for what cannot be a model.
        self.models[name] = model
        if self.form.endpoint == name:
            self.form = replace(self.form, model=model)
        self.read_facts(settle_s=0.0)
        self.answers_changed()
