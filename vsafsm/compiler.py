"""`compile`: the pipeline. Machine -> lowered machine -> codebook -> integer weights -> network ->
proof -> program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from vsafsm.acceptance import Acceptance
from vsafsm.argument_checks import check_callable, check_machine, check_mapping
from vsafsm.backend import Backend
from vsafsm.backend_options import check_options
from vsafsm.codebook import CodebookMaker, Given
from vsafsm.discovery import DEFAULT, find
from vsafsm.errors import NotProvenError, OptionError, RequirementError
from vsafsm.files import check_path
from vsafsm.layouts import choose
from vsafsm.lowering import Lowered, lower
from vsafsm.machine import Machine
from vsafsm.modules.sizing import size_modules
from vsafsm.options import Auto, Code, Inhibition, Layout, Options, Placement, Rule, Trigger
from vsafsm.prediction import predicted_neurons
from vsafsm.program import Claim, Program
from vsafsm.requirements import Requirements
from vsafsm.sizing import Progress, Sized, size
from vsafsm.tolerance import CONFIDENCE, DEFAULT_CONFIDENCE, Tolerance, tolerances
from vsafsm.tolerance import DEFAULT as DEFAULT_TOLERANCES

LEAST_TOLERANT_BITS = 4
"""Bits per weight from which something is tolerated by default."""


def compile_machine(
    machine: Machine,
    *,
    dimension: int | Auto | None = None,
    active: int | Auto | None = None,
    bits: int | None = None,
    rule: Rule | Auto | None = None,
    trigger: Trigger | None = None,
    code: Code | None = None,
    inhibition: Inhibition | None = None,
    margin: float | Auto | None = None,
    tolerate: str | Sequence[str] | None = None,
    confidence: float | Auto | None = None,
    layout: Layout | None = None,
    module_neurons: int | Auto | None = None,
    placement: Placement | None = None,
    seed: int | None = None,
    target: str = DEFAULT,
    target_options: Mapping[str, object] | None = None,
    codebook: CodebookMaker | None = None,
    allow_unproven: bool = False,
    jobs: int = 1,
    scheduler: str | None = None,
    resume: str | Path | None = None,
    progress: Progress = lambda what, share: None,
) -> Program:
    """Compile a machine to a proven program (``vsafsm.compile``).

    An option that is None is the spec's own, or else the target's, or else the default.

    Parameters
    ----------
    machine
        What to compile.
    dimension
        Neurons N; by default ``"auto"``: what tolerates the noises that are asked for, or about
        twice the smallest N that proves where none are.
    active
        Active neurons k per code; by default ``"auto"``. For ``code="dense"`` it is N / 2.
    bits
        Width of a weight, 2 to 16; by default 8.
    rule
        ``"robust"``: refined on samples of other orders of updates and of disturbed activity;
        ``"refined"``: on synchronous steps alone; ``"small"``: the same with smaller weights; or
        ``"one-shot"``. By default ``"auto"``: robust where something is to be tolerated, else
        refined.
    trigger
        ``"event"`` by default: one event, one transition, however long it is held; or ``"level"``:
        the paper's plain rule.
    code
        ``"sparse"`` by default, or ``"dense"``.
    inhibition
        ``"folded"`` into the weights by default, or ``"separate"``.
    margin
        Distance from threshold to refine for, in units of drive per active neuron; by default
        ``"auto"``: 0.3, and less at a given dimension where that cannot be had; 0.2 where
        something is to be tolerated.
    tolerate
        Noises that the program tolerates, as texts that `vsafsm.noise.parse_noise` reads;
        ``"timing:any"``, for which every order of updates is proven (`vsafsm.prove_any_order`); or
        ``"none"``, which gives the smallest network. By default ``"auto"``: additive noise of one
        standard deviation of the weights, 10 % missing synapses, and 10 % of the neurons updated
        per step, for one matrix whose size the options leave open.
    confidence
        Share of draws of each noise that are correct, at the lower end of its 95 % interval; by
        default 0.99 for noises that are named, and 0.98 for those by default.
    layout
        ``"auto"`` by default: one matrix of weights (``"dense"``), or for large machines
        ``"modules"``, whichever costs fewer synapses for the margin. `docs/scale.md` has the costs.
    module_neurons
        Neurons per module; by default ``"auto"``.
    placement
        Which states share a module: by default those that lead to each other (``"partition"``), or
        any (``"balanced"``).
    seed
        Of every random draw; by default 0.
    target, target_options
        A backend whose requirements the program shall meet, and its options.
    codebook
        Codes and masks of your own, `vsafsm.codebook.Given` for instance, in place of ``code``.
        Given codes say the dimension too.
    allow_unproven
        Return a program whose proof does not hold instead of raising.
    jobs
        Processes that refine modules; the program is the same with any number.
    scheduler
        Address of a Dask scheduler whose workers refine modules instead.
    resume
        A folder that keeps modules, and draws of noise, that are done. The same call goes on with
        them.
    progress
        Called with what is being tried and the share of it that is done.

    Raises
    ------
    ArgumentError
        If `machine` is none, or another argument is not what is said above.
    OptionError, CompileError, CodebookError
        If the options, the trigger or the codebook do not suit the machine.
    NotProvenError
        If no network within the limits could be proven correct.
    RequirementError
        If the network of a given dimension does not meet the target's requirements.

    Examples
    --------
    >>> import vsafsm
    >>> program = vsafsm.compile(vsafsm.load("specs/turnstile.yaml"), bits=6)
    >>> program.network.bits, program.claim.verdict
    (6, 'holds')
    """
    check_machine(machine, "vsafsm.compile")
    check_mapping(target_options, "vsafsm.compile", "target_options")
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise OptionError(f"jobs is {jobs!r}; expected a whole number of at least 1")
    check_callable(progress, "vsafsm.compile", "progress")
    if codebook is not None:
        check_callable(codebook, "vsafsm.compile", "codebook")
    if resume is not None:
        check_path(resume, "vsafsm.compile", "resume")
    options = {
        "dimension": dimension,
        "active": active,
        "bits": bits,
        "rule": rule,
        "trigger": trigger,
        "code": code,
        "inhibition": inhibition,
        "margin": margin,
        "tolerate": tolerate,
        "confidence": confidence,
        "layout": layout,
        "module_neurons": module_neurons,
        "placement": placement,
        "seed": seed,
    }
    backend = find(target)
    check_options(backend, target_options or {})
    requirements = backend.requirements(target_options or {})
    acceptance = acceptance_of(backend, target_options or {})
    chosen = _options(
        machine,
        requirements,
        {name: value for name, value in options.items() if value is not None},
    )
    if isinstance(codebook, Given) and chosen.dimension == "auto":
        chosen = chosen.with_({"dimension": codebook.neurons})
    lowered = lower(machine, chosen.trigger)
    folder = None if resume is None else Path(resume)
    given = codebook is not None
    if choose(lowered, chosen, requirements, given) == "modules":
        chosen = chosen.with_(
            {
                "layout": "modules",
                "inhibition": "separate",
                "rule": chosen.settled_rule,
                "tolerate": "none",
            }
        )
        sized = size_modules(
            machine, lowered, chosen, requirements, jobs, scheduler, folder, progress
        )
    else:
        asked = chosen.with_({"layout": "dense"})
        wanted = wanted_tolerances(asked, lowered, requirements, given)
        chosen = _tolerating(asked, wanted)
        sized = size(
            *(machine, lowered, chosen, requirements, codebook, progress),
            *(wanted, float(chosen.confidence), folder, acceptance),
        )
        if sized.gave_up and wanted and asked.tolerate == "auto":
            # Nobody asked: a machine that tolerates too little is compiled as it is.
            chosen = _tolerating(asked, ())
            sized = size(
                *(machine, lowered, chosen, requirements, codebook, progress),
                acceptance=acceptance,
            )
    if not allow_unproven:
        if chosen.dimension != "auto" or chosen.layout == "modules":
            _check_met(target, requirements, sized)
        limited = chosen.dimension == "auto" and requirements.most_neurons is not None
        if acceptance is not None and (limited or acceptance.share is not None):
            _check_accepted(machine, sized, acceptance)
        _check_proven(machine, lowered, chosen, requirements, sized)
    proof = sized.proof
    claim = Claim(proof.verdict, proof.fixed_points, proof.radius, proof.margin)
    return Program(
        *(machine, sized.network, chosen, requirements, target, claim),
        *(sized.smallest, sized.tolerated),
    )


def acceptance_of(backend: Backend, options: Mapping[str, object]) -> Acceptance | None:
    """What a backend tries on networks, where it tries anything."""
    method: Callable[..., Acceptance] | None = getattr(backend, "acceptance", None)
    return None if method is None else method(options)


def wanted_tolerances(
    options: Options, lowered: Lowered, requirements: Requirements, given: bool = False
) -> tuple[Tolerance, ...]:
    """What one matrix is to tolerate. By default nothing where the size is given, where a target
    aims at a tolerance of its own, and where options ask for what the rule ``robust`` has not.

    Parameters
    ----------
    given
        Whether codes are given.
    """
    if options.tolerate != "auto":
        return tolerances(options.tolerate)
    usual = Options()
    leaves_open = (
        options.dimension == "auto"
        and options.rule in ("auto", "robust")
        and (options.code, options.trigger) == (usual.code, usual.trigger)
        and options.bits >= LEAST_TOLERANT_BITS
        and requirements.rule is None
        and not lowered.guarded
        and not given
    )
    return tolerances(" ".join(DEFAULT_TOLERANCES)) if leaves_open else ()


def _tolerating(options: Options, wanted: Sequence[Tolerance]) -> Options:
    """Options with what ``auto`` stands for where this is to be tolerated."""
    settled: dict[str, object] = {"tolerate": " ".join(map(str, wanted)) or "none"}
    if options.rule == "auto":
        settled["rule"] = "robust" if wanted else "refined"
    if options.confidence == "auto":
        named = options.tolerate != "auto" or not wanted
        settled["confidence"] = CONFIDENCE if named else DEFAULT_CONFIDENCE
    return options.with_(settled)


def _options(
    machine: Machine, requirements: Requirements, options: Mapping[str, object]
) -> Options:
    """Defaults, then what the target requires, then what the spec asks for, then what is given
    now.
    """
    required: dict[str, object] = {}
    if requirements.bits is not None:
        required["bits"] = requirements.bits
    if requirements.folded is not None:
        required["inhibition"] = "folded" if requirements.folded else "separate"
    if requirements.rule is not None:
        required["rule"] = requirements.rule
    return Options().with_(required).with_(dict(machine.compile_options)).with_(options)


def _check_proven(
    machine: Machine, lowered: Lowered, options: Options, requirements: Requirements, sized: Sized
) -> None:
    if not sized.gave_up:
        return
    proof, tried = sized.proof, [str(attempt) for attempt in sized.attempts]
    if not proof.holds:
        tried.append(f"{proof.verdict} at N={sized.network.neurons}: {proof.counterexample}")
    remedy = _remedy(options, requirements, predicted_neurons(lowered, options))
    raise NotProvenError(
        f'machine "{machine.name}": {sized.gave_up}; expected {remedy}',
        tuple(tried),
    )


def _check_accepted(machine: Machine, sized: Sized, acceptance: Acceptance) -> None:
    """Raise `RequirementError` where a target accepts no network, or has no room for any."""
    if sized.gave_up:
        raise RequirementError(
            f'machine "{machine.name}": {sized.gave_up}; expected {acceptance.remedy}'
        )


def _remedy(options: Options, requirements: Requirements, predicted: int) -> str:
    """What would help where nothing is proven."""
    if options.dimension != "auto":
        least = "a larger dimension"
        if predicted > options.dimension:
            least = f"a dimension of about {predicted} or more"
        return f"{least}, or dimension auto"
    usual, most = Options(), requirements.most_neurons
    helpful = [
        text
        for text, unusual in (
            ("rule refined", options.rule == "one-shot"),
            ("weaker noises in tolerate", options.tolerate != "none"),
            ("more bits", options.bits < usual.bits),
            ("sparse codes", options.code != usual.code),
            ("a smaller margin", options.margin != "auto"),
            (f"a target for more than {most} neurons", most is not None and most < predicted),
        )
        if unusual
    ]
    return ", or ".join(helpful) or "a smaller machine, or one with fewer outputs"


def _check_met(target: str, requirements: Requirements, sized: Sized) -> None:
    unmet = requirements.unmet(sized.network, sized.proof.margin)
    if unmet and sized.proof.holds:
        raise RequirementError(
            f'at these options, backend "{target}" is not met: {"; ".join(unmet)}'
        )
