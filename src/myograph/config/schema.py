"""What may be configured: strict, frozen, nothing unknown.

Names of steps, features, models and splits are looked up where those live (`core.step`,
`features`, `models`, `validate`): this layer knows their shape only.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from myograph.core.recipe import digest_of

__all__ = [
    "EVERY_OTHER",
    "Config",
    "EvaluationConfig",
    "FeatureConfig",
    "ModelConfig",
    "NoveltyConfig",
    "PipelineConfig",
    "RejectionConfig",
    "SelectionConfig",
    "SplitConfig",
    "StepConfig",
    "TuningConfig",
    "WindowingConfig",
]

#: Stands for every class that thresholds do not name.
EVERY_OTHER = "*"

Scalar = bool | int | float | str
#: Values a step, feature, model or split takes as a parameter.
Parameter = Scalar | list[Scalar] | None


def _one_or_many(value: Any) -> Any:
    """Take ``"hudgins"`` for ``("hudgins",)``, and the lists of TOML and JSON for tuples."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]


def _one_or_more(value: Any) -> Any:
    """Take ``0.1`` for ``(0.1,)``, and the lists of TOML and JSON for tuples."""
    return (value,) if isinstance(value, float) else _one_or_many(value)


Shares = Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], BeforeValidator(_one_or_more)]

#: A confidence below which nothing is said.
Threshold = Annotated[float, Field(ge=0, lt=1)]


class Config(BaseModel):
    """A part of the configuration: unknown keys and other types than stated are refused."""

    model_config: ClassVar[ConfigDict] = {
        "extra": "forbid",
        "frozen": True,
        "strict": True,
        "allow_inf_nan": False,
    }

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain JSON-able data, defaults written out."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """Return the sha256 of the configuration in canonical JSON."""
        return digest_of(self.to_dict())


class _Open(Config):
    """A named member of a family with its parameters beside the name."""

    model_config: ClassVar[ConfigDict] = {"extra": "allow"}
    __pydantic_extra__: dict[str, Parameter] = Field(init=False)


class StepConfig(_Open):
    """One preprocessing step: ``{"step": "bandpass", "low_hz": 20.0, "high_hz": 450.0}``."""

    step: str


class FeatureConfig(Config):
    """One feature with parameters: ``{"feature": "zc", "threshold": 10.0}``.

    A threshold may be a multiple of the noise at rest, ``{"noise": 3.0}``, which is measured on the
    training recordings of each fold.
    """

    model_config: ClassVar[ConfigDict] = {"extra": "allow"}
    __pydantic_extra__: dict[str, Parameter | dict[Literal["noise"], float]] = Field(init=False)

    feature: str


class WindowingConfig(Config):
    """How recordings are cut; see `myograph.preprocess.windowing.Windowing`.

    Parameters
    ----------
    length_ms, step_ms : float
        Length of a window and distance between the starts of two.
    label_sources : tuple of str
        Sources of the events that label windows; empty leaves windows unlabelled.
    transition_ms : float
        Time left out at both ends of every labelled event.
    rest : str
        ``"keep"`` or ``"drop"`` windows whose label is one of ``rest_labels``.
    rest_labels : tuple of str
    min_coverage : float
        Least fraction of a window that its event must cover.
    target_kind : str
        Kind of the channel whose mean over the window is the value to estimate (for example
        ``"force"``); empty for class labels.
    """

    length_ms: float = Field(default=200.0, gt=0)
    step_ms: float = Field(default=50.0, gt=0)
    label_sources: Texts = ("protocol",)
    transition_ms: float = Field(default=0.0, ge=0)
    rest: Literal["keep", "drop"] = "keep"
    rest_labels: Texts = ("rest",)
    min_coverage: float = Field(default=1.0, gt=0, le=1)
    target_kind: str = ""


class ModelConfig(Config):
    """A model by name, with its parameters; see `myograph.models.base.MODELS`."""

    name: str = "lda"
    params: dict[str, Parameter] = Field(default_factory=dict)


class SelectionConfig(_Open):
    """Which measured numbers go on to the model: ``{"name": "mrmr", "keep": 12}``.

    See `myograph.features.select.SELECTIONS`.
    """

    name: str


class NoveltyConfig(_Open):
    """What refuses windows unlike those learned from: ``{"name": "vae", "false_alarms": 0.1}``.

    ``name`` is one of `myograph.models.detector.DETECTORS`, and its parameters stand beside it;
    ``false_alarms`` is the share of a new person's windows that may be refused without cause.
    """

    name: str = "mahalanobis"
    false_alarms: float = Field(default=0.05, gt=0, lt=1)


class RejectionConfig(Config):
    """From which confidence on each class is answered, learned on people held out of training.

    Parameters
    ----------
    accuracy : float, optional
        ``{"accuracy": 0.95}``: the answers of each class shall be right so often.
    coverage : float, optional
        ``{"coverage": 0.9}``: so many of the answers of each class shall be given, the surest.
    inner_folds : int
        The training people are dealt into so many folds, and each is answered by the others.
    """

    accuracy: float | None = Field(default=None, gt=0, le=1)
    coverage: float | None = Field(default=None, gt=0, le=1)
    inner_folds: int = Field(default=5, ge=2)


class SplitConfig(Config):
    """A split by name, with its parameters; see `myograph.validate.splits.SPLITS`."""

    name: str = "leave-one-subject-out"
    params: dict[str, Parameter] = Field(default_factory=dict)


class PipelineConfig(Config):
    """A pipeline, from samples to decisions.

    Parameters
    ----------
    steps : tuple of StepConfig
        In order. Without a ``select`` step the muscle channels are taken.
    windowing : WindowingConfig
    features : tuple of str or FeatureConfig
        Names of features or of sets.
    scaling : str
        ``"none"``; ``"standard"``: mean 0 and deviation 1 over the training windows;
        ``"person"``: the same over each person's own unlabelled windows.
    selection : SelectionConfig, optional
        Learned from the scaled training windows of each fold; all columns when left out.
    model : ModelConfig
    novelty : NoveltyConfig, optional
        Gate that marks decisions about windows unlike those learned from as rejected.
    aggregate : str
        How the windows of a recording, and the recordings of a person, become one answer.
    reject_below : float or dict of str to float
        A decision with less confidence than this is marked as rejected; class by class
        (``{"fist": 0.8, "*": 0.5}``), ``"*"`` being every other class and 0 when left out.
    reject : RejectionConfig, optional
        Learns these thresholds instead.
    """

    steps: Annotated[tuple[StepConfig, ...], BeforeValidator(_one_or_many)] = ()
    windowing: WindowingConfig = WindowingConfig()
    features: Annotated[tuple[str | FeatureConfig, ...], BeforeValidator(_one_or_many)] = Field(
        default=("hudgins",), min_length=1
    )
    scaling: Literal["none", "standard", "person"] = "none"
    selection: SelectionConfig | None = None
    model: ModelConfig = ModelConfig()
    novelty: NoveltyConfig | None = None
    aggregate: Literal["mean-log-probability", "vote"] = "mean-log-probability"
    reject_below: Threshold | dict[str, Threshold] = 0.0
    reject: RejectionConfig | None = None

    @property
    def refuses(self) -> bool:
        """Whether some decisions may be marked as rejected."""
        return bool(self.reject_below) or self.reject is not None or self.novelty is not None

    def answering(self) -> PipelineConfig:
        """Return the same pipeline without what only refuses: its probabilities are the same."""
        return self.model_copy(update={"reject_below": 0.0, "reject": None, "novelty": None})


class TuningConfig(Config):
    """How settings are searched, inside the training side of every fold.

    Parameters
    ----------
    minutes : float, optional
        Budget on the clock for all of the tuning; shared evenly among the folds.
    trials : int, optional
        Budget in settings tried, in each fold; the same on every machine.
    inner_folds : int
        People (or whatever is held out) are dealt into so many inner folds.
    together : int
        Settings proposed at a time; see `myograph.validate.tuning.Search`.
    search : tuple of str
        What to search besides what the model declares: ``"scaling=none,standard"``.
    """

    minutes: float | None = Field(default=None, gt=0)
    trials: int | None = Field(default=None, ge=1)
    inner_folds: int = Field(default=4, ge=2)
    together: int = Field(default=4, ge=1)
    search: Texts = ()


class EvaluationConfig(Config):
    """An evaluation: which data, held out how, through which pipeline.

    Parameters
    ----------
    data : str
        Name of a dataset, or a path.
    split : SplitConfig
    pipeline : PipelineConfig
    seed : int
        The same seed gives the same folds, models and report.
    people : tuple of str, optional
        Pseudonyms to use; all when left out.
    jobs : int, optional
        Processes; as many as there are cores when left out.
    baselines : bool
        Also evaluate the ladder of baselines on the same folds.
    bootstrap : int
        Resamples of people behind every interval.
    probes : bool
        Also ask what length, loudness, drift, hum, noise, device, site, age and sex of a recording
        tell about the label by themselves.
    stability : bool
        Also test the model on recordings that are amplified, drift, hum or are high-passed; takes
        four more times of measuring.
    robustness : bool
        Also test the models of the folds on recordings that are spoilt in some forty ways: see
        `myograph.validate.challenges`. Takes as many more times of measuring.
    prevalence : tuple of float
        Shares of cases where the model may be used: predictive values are told for each, where
        every person is one case.
    circumference_mm : float, optional
        Says that the channels lie, in their order, evenly around a limb of this size, so that
        they can be shifted.
    tuning : TuningConfig, optional
        Search settings anew inside every fold; the figures are then those of the search.
    """

    data: str
    split: SplitConfig = SplitConfig()
    pipeline: PipelineConfig = PipelineConfig()
    seed: int = Field(default=0, ge=0)
    people: Texts | None = Field(default=None, min_length=1)
    jobs: int | None = Field(default=None, ge=1)
    baselines: bool = True
    bootstrap: int = Field(default=2000, ge=100)
    probes: bool = True
    stability: bool = False
    robustness: bool = False
    prevalence: Shares = Field(default=(0.01, 0.05, 0.1, 0.2, 0.5), min_length=1)
    circumference_mm: float | None = Field(default=None, gt=0)
    tuning: TuningConfig | None = None
