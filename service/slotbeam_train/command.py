"""`slotbeam train`: a catalog, and a log where there is one, become an artifact. This file is the tour of training."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from slotbeam.catalog.loaders import CatalogReader, Data, read_data
from slotbeam.catalog.table import Catalog
from slotbeam.errors import InputError, SetupError
from slotbeam.indexing.build import replace_artifact, write_index
from slotbeam.indexing.language import check_language, folding_of
from slotbeam.model.tokenizer import TOKENIZER
from slotbeam.search.artifact import INDEX, MODEL, Artifact, read_manifest, write_manifest
from slotbeam.search.options import WEIGHTS
from slotbeam_train.budget import Budget, Clock, few_steps, stages_of
from slotbeam_train.export.agreement import agreeing
from slotbeam_train.export.artifact import read_parameters, restore, round_to_half, write_model
from slotbeam_train.export.weights import fit_manifest
from slotbeam_train.lexicon import Absorbed, absorbed_facts, bindings_to_absorb, with_items
from slotbeam_train.options import TrainOptions
from slotbeam_train.policy.model import ModelOptions, Policy
from slotbeam_train.progress import Reporter
from slotbeam_train.shapes import check_shape, shaped
from slotbeam_train.stages.corpus import Corpus, build_corpus, item_sids_of
from slotbeam_train.stages.data import Sampler
from slotbeam_train.stages.lessons import policy_trainer
from slotbeam_train.stages.loop import Trainer
from slotbeam_train.stages.stages import STAGES
from slotbeam_train.teacher import Teacher
from slotbeam_train.texts.learn import taught_texts, tell_of
from slotbeam_train.texts.lessons import read_items
from slotbeam_train.vocabulary import vocabulary

CHECKPOINT = "checkpoint.npz"


def train(
    catalog: Path,
    out: Path,
    *,
    logs: Path | None = None,
    format: str | None = None,
    mapping: Path | None = None,
    options: TrainOptions | None = None,
    artifact_from: Path | None = None,
    absorb: Sequence[Path] = (),
    stages: Sequence[str] = tuple(STAGES),
    resume: bool = False,
    budget: Budget | None = None,
    jobs: int = 1,
    teacher: Teacher | None = None,
) -> Path:
    """Train and write an artifact; `out` appears whole, in one rename, or not at all.

    Args:
        catalog: file or directory, see `load_catalog`; mapping and format as there.
        logs: file or directory of clicks and orders; days after `options.last_day` are not read.
        artifact_from: refresh this artifact: keep its codebook, dictionary, tokenizer and weights, train `stages`.
        absorb: files of bindings whose words get solo slots; not with `artifact_from`, whose codebook stays.
        stages: names in `STAGES`, in order.
        resume: go on from the checkpoint that a stopped run left beside `out`.
        budget: what all of this may take; None: `options.loop` bounds the stages alone.
        jobs: processes that encode the index.
        teacher: what text vectors are distilled from; None: those of `artifact_from`, or none.

    Returns:
        `out`.

    Raises:
        InputError: the catalog, the log or a file of bindings is not readable, the catalog is empty, or its language
            or the shape is unknown.
        SetupError: `out` exists and is no artifact, or `budget` is used up before anything was learned.
        ArtifactError: `artifact_from` is damaged.
    """
    options = options or TrainOptions()
    if out.exists() and not (out / "manifest.json").is_file() and any(out.iterdir()):
        raise SetupError(f"{out} exists and is no artifact; name another directory")
    check_language(options.language)
    check_shape(options.shape, artifact_from is not None)
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown or not stages:
        raise InputError(f"stages {', '.join(stages) or '(none)'} are not known; allowed: {', '.join(STAGES)}")
    bindings = bindings_to_absorb(absorb, artifact_from)
    clock = Clock(budget.clock) if budget else Clock()
    torch.manual_seed(options.seed)
    with Reporter(options.quiet) as reporter:
        # What may be read: the catalog, and the training days of the log.
        named = {item_id for binding in bindings[0] for item_id in binding.item_ids}
        data = read_data(catalog, logs, format, mapping, options.last_day, options.sample, named)
        items, log = data.items, data.log
        for line in data.warnings:
            reporter.say(f"warning: {line}")
        of_all = f" of {len(data.census)}" if len(items) < len(data.census) else ""
        reporter.say(f"{len(items)}{of_all} items, {len(log)} interactions  {clock('read')}")
        work = out.with_name(f".{out.name}.train")
        if not resume:
            shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True, exist_ok=True)

        # Words → slots, texts → ids.
        absorbed = _absorbed(bindings, data, reporter)
        ask = budget.ask if budget else None
        folding = folding_of(items, options.language)
        resumed = work if resume else None
        tell_of(teacher, reporter, budget)
        kae, inputs = vocabulary(items, log, options, artifact_from, resumed, absorbed, folding, ask, teacher)
        kae.save(work / "kae")
        inputs.save(work / TOKENIZER)
        reporter.say(f"language {folding.language}, {len(kae.dictionary)} concepts, sizes {kae.codebook.sizes}")
        reporter.say(f"dictionary {clock('dictionary')}")
        _, encoded = item_sids_of(kae, items, absorbed)
        corpus = build_corpus(items, encoded, log, kae, inputs, options.pseudo, options.seed, absorbed)
        reporter.say(f"{len(corpus.queries)} queries  {clock('corpus')}")

        # What a teacher knows of texts.
        taught = taught_texts(teacher, artifact_from, items, kae, log, options.texts, options.seed, reporter, budget)
        clock("texts")

        # The four stages, of a shape that there is time for.
        of_stages = None
        if budget is not None:
            corpus_s = clock.seconds["corpus"] * len(data.census) / len(items)
            of_stages, said = stages_of(budget, corpus_s, bool(log or teacher))
            reporter.say(said)
        if artifact_from is not None:
            options = replace(options, model=ModelOptions(**read_manifest(artifact_from)["model"]["shape"]))
        else:
            options = shaped(options, corpus, stages[-1], reporter, work / "shape", of_stages)
        torch.manual_seed(options.seed)
        model = Policy(options.model, inputs.layout, len(corpus.department_names))
        if artifact_from is not None:
            restore(model, read_parameters(artifact_from / MODEL, model.options.heads))
        trainer = teach(model, corpus, options, stages, reporter, work / CHECKPOINT, resume, of_stages)
        clock("training")
        if budget is not None:
            seconds = clock.seconds["training"]
            warning = few_steps(sum(trainer.place.plan), options.loop.steps, seconds, budget.seconds - seconds)
            if warning:
                reporter.say(warning)

        # The model, and the whole catalog encoded by it: everything that serving needs, in one directory.
        fresh = work / "artifact"
        shutil.rmtree(fresh, ignore_errors=True)
        held = write_model(fresh / MODEL, kae, model, inputs, options.half, absorbed)
        if taught is not None:
            taught.vectors.save(fresh / MODEL)
            held["texts"] = {"teacher": taught.teacher, "width": taught.vectors.width}
        reader = CatalogReader(catalog, format=format, mapping=mapping)
        index = write_index(fresh / INDEX, fresh / MODEL, model.options.max_tokens, reader, jobs, folding=folding)
        reporter.say(f"{index['sids']} SIDs of {index['items']} items  {clock('index')}")
        facts = absorbed_facts(kae, Catalog.load(fresh / INDEX, index["fields"], folding), absorbed)
        held["training"] = _facts(options, stages, artifact_from, trainer, corpus, len(log), facts)
        held["metrics"] = {"stages": trainer.place.reports, "seconds": clock.seconds}
        manifest = {
            "name": options.name,
            "created": index["created"],
            "model": held,
            "search": dataclasses.asdict(options.search),
            "index": index,
        }
        write_manifest(fresh, manifest)
        reporter.say(f"exported  {clock('export')}")
        known = read_items(items, options.texts.items, options.seed)
        otherwise = agreeing(teacher, known, options.seed, budget) if teacher else None
        fitted = fit_manifest(Artifact.load(fresh), log, options.fit, options.seed, budget, otherwise)
        weights = ", ".join(f"{getattr(fitted, name):g} {name.removeprefix('weight_')}" for name in WEIGHTS)
        reporter.say(f"item score: {weights}  {clock('weights')}")
        replace_artifact(fresh, out, work / "replaced")
        shutil.rmtree(work, ignore_errors=True)
        reporter.say(f"{out} is complete" + (f" after {budget.spent / 60:.1f} minutes" if budget else ""))
    return out


def teach(
    model: Policy,
    corpus: Corpus,
    options: TrainOptions,
    stages: Sequence[str],
    reporter: Reporter,
    checkpoint: Path,
    resume: bool,
    budget: Budget | None = None,
) -> Trainer:
    """Take a policy through `stages`; it ends on the CPU, for inference, with the weights that its file will hold."""
    sampler = Sampler(corpus, options.data)
    trainer = policy_trainer(model, sampler, stages, options.loop, options.seed, reporter, checkpoint, budget)
    if resume and trainer.resume():
        stage = stages[min(trainer.place.stage, len(stages) - 1)]
        reporter.say(f"resumed at stage {stage}, step {trainer.place.step}")
    trainer.run()
    model.to("cpu").eval()
    if options.half:
        round_to_half(model)
    return trainer


def _absorbed(bindings: tuple[list[Absorbed], list[str]], data: Data, reporter: Reporter) -> list[Absorbed]:
    """Return the bindings that have an item; what is left out is said."""
    kept, said = with_items(bindings[0], data.census.ids.contain)
    for line in (*bindings[1], *said):
        reporter.say(line)
    return kept


def _facts(
    options: TrainOptions,
    stages: Sequence[str],
    artifact_from: Path | None,
    trainer: Trainer,
    corpus: Corpus,
    interactions: int,
    absorbed: list[dict[str, Any]],
) -> dict[str, Any]:
    settings = dataclasses.asdict(options)
    settings.pop("search")
    return {
        "settings": settings,
        "stages": list(stages),
        "refreshed": str(read_manifest(artifact_from)["name"]) if artifact_from is not None else None,
        "steps": trainer.place.plan,
        "precision": str(trainer.precision).removeprefix("torch."),
        "device": trainer.device.type,
        "threads": torch.get_num_threads(),
        "interactions": interactions,
        "queries": len(corpus.queries),
        "departments": list(corpus.department_names),
        "absorbed": absorbed,
    }
