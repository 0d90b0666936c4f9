"""Which assortments become intents, and the engines of the paper: LUKE and an instruction model, tiny and random."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import (
    LukeConfig,
    LukeForEntityClassification,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from graph.errors import ArtefactError
from models.intents.classes import NodeFeatures
from models.intents.encoder import Encoder
from models.intents.mining import CONFIDENT, IntentClassifier, LukeEngine, Mined, assortments, describe, mine
from models.intents.sentences import LONGEST, Assortment, Grammar, Instructed
from tests.models.intents.conftest import make_tree

SENTENCES = {
    "Camping": "go camping",
    "Camping Trips": "go on a camping trip",
    "Tent Camping": "go camping",
    "Birthday": "celebrate a birthday",
    "Fishing": "go fishing",
    "Acme": "shop for acme",
    "Large Red": "shop for large red",
    "Everything": "get " + "everything " * 20,
}
TREE = make_tree(
    "Sporting Goods", *(f"Sporting Goods > {name}" for name in SENTENCES), "Sporting Goods > Fishing > Rods"
)


class Said:
    """Rewrites by the list above, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Assortment] = []

    def rewrite(self, assortments: Sequence[Assortment]) -> list[str]:
        self.asked += assortments
        return [SENTENCES[one.path[-1]] for one in assortments]


def node(name: str) -> str:
    return f"SportingGoods/{name.replace(' ', '')}"


def mined(encoder: Encoder, chances: dict[str, float], taken: dict[str, str] | None = None) -> Mined:
    return mine(
        [(TREE, node(name), chance) for name, chance in chances.items()], Said(), encoder, taken or {}, ["ACME"]
    )


def drops(found: Mined) -> dict[str, int]:
    return {why: count for why, count in found.dropped.items() if count}


def test_an_intent_of_an_assortment(encoder: Encoder) -> None:
    found = mined(encoder, {"Fishing": 0.7, "Birthday": 0.9})
    birthday, fishing = found.intents  # the most confident first
    assert (birthday.sentence, birthday.term, birthday.department) == (
        "celebrate a birthday",
        "Birthday",
        "Sporting Goods",
    )
    assert (fishing.id, fishing.confidence, fishing.nodes) == (f"mined:{node('Fishing')}", 0.7, (node("Fishing"),))
    assert drops(found) == {}


def test_what_is_no_intent_is_dropped_and_counted(encoder: Encoder) -> None:
    chances = dict.fromkeys(SENTENCES, 0.9) | {"Fishing": CONFIDENT - 0.01}
    found = mined(encoder, chances)
    assert [one.term for one in found.intents] == ["Birthday", "Camping"]
    assert drops(found) == {
        "below the threshold": 1,
        "a brand": 1,
        "an attribute": 1,
        "too long": 1,
        "same meaning": 2,
    }
    assert sum(found.dropped.values()) + len(found.intents) == len(chances)
    assert len(SENTENCES["Everything"]) > LONGEST


def test_the_rewriter_is_asked_of_no_brand(encoder: Encoder) -> None:
    say = Said()
    mine([(TREE, node(name), 0.9) for name in ("Acme", "Large Red", "Fishing")], say, encoder, {}, ["acme"])
    assert say.asked == [Assortment(("Sporting Goods", "Fishing"), ("Rods",))]
    assert describe(TREE, node("Fishing")) == say.asked[0]


def test_nodes_of_one_meaning_are_merged(encoder: Encoder) -> None:
    found = mined(encoder, {"Tent Camping": 0.8, "Camping Trips": 0.6, "Camping": 0.9, "Fishing": 0.7})
    camping, fishing = found.intents
    assert camping.nodes == (node("Camping"), node("TentCamping"), node("CampingTrips"))
    assert (camping.sentence, camping.confidence) == ("go camping", 0.9)
    assert fishing.nodes == (node("Fishing"),)
    assert drops(found) == {"same meaning": 2}


@pytest.mark.parametrize("noise", [-1e-7, 0.0, 1e-7])
def test_the_last_digits_of_a_probability_name_no_intent(encoder: Encoder, noise: float) -> None:
    [camping] = mined(encoder, {"Tent Camping": 0.9 + noise, "Camping": 0.9}).intents
    assert camping.nodes == (node("Camping"), node("TentCamping"))  # by their ids


def test_what_the_table_says_already_is_not_said_again(encoder: Encoder) -> None:
    found = mined(encoder, {"Camping": 0.9, "Fishing": 0.8}, taken={"camp": "go camping"})
    assert [one.sentence for one in found.intents] == ["go fishing"]
    assert drops(found) == {"same meaning": 1}


def test_nothing_to_mine(encoder: Encoder) -> None:
    for taken in ({}, {"camp": "go camping"}):
        found = mined(encoder, {}, taken)
        assert (found.intents, drops(found)) == ([], {})


def test_assortments_of_a_tree() -> None:
    tree = make_tree("A", "A > B", "A > B > C", assortments=("A", "A > B"))
    assert assortments(tree) == ["A", "A/B"]


@pytest.fixture(scope="module")
def luke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """LUKE of one layer with random weights and five entity types, over single letters."""
    folder = tmp_path_factory.mktemp("luke")
    letters = [chr(code) for code in range(33, 127)]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *letters, "Ġ", "<ent>", "<ent2>"]
    entities = ["[PAD]", "[UNK]", "[MASK]", "[MASK2]"]
    for name, names in (("vocab", tokens), ("entity_vocab", entities)):
        (folder / f"{name}.json").write_text(json.dumps({token: place for place, token in enumerate(names)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    told = {"tokenizer_class": "LukeTokenizer", "task": "entity_classification", "model_max_length": 100}
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    torch.manual_seed(0)
    config = LukeConfig(
        vocab_size=len(tokens),
        entity_vocab_size=len(entities),
        hidden_size=16,
        entity_emb_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=110,
        num_labels=5,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
    )
    LukeForEntityClassification(config).save_pretrained(folder)
    return folder


def features(*names: str) -> NodeFeatures:
    dense = np.arange(2 * len(names), dtype=np.float32).reshape(-1, 2)
    return NodeFeatures([f"n{n}" for n in range(len(names))], list(names), np.zeros((len(names), 6), np.float32), dense)


def test_luke_sees_entity_types_and_place(luke: Path) -> None:
    names = features("Camping", "Pet Supplies", "Party & Celebration")
    found = LukeEngine(str(luke), at_once=2).columns(names)
    assert found.shape == (3, 5 + 2)
    np.testing.assert_array_equal(found[:, 5:], names.dense)
    assert len(np.unique(found[:, 0])) == 3
    one_by_one = LukeEngine(str(luke), at_once=1).columns(names)
    np.testing.assert_allclose(found, one_by_one, atol=1e-5)  # padding changes nothing


def test_luke_marks_the_name_in_the_sentence(luke: Path) -> None:
    """By hand: the entity spans the letters of the name alone, whatever braces it has."""
    engine = LukeEngine(str(luke))
    tokens = engine.tokenizer(
        "I want to go shopping for Golf.", entity_spans=[(26, 30)], return_tensors="pt", truncation=True
    )
    with torch.no_grad():
        logits = engine.model(**tokens).logits.numpy()
    np.testing.assert_allclose(engine.columns(features("Golf"))[:, :5], logits, atol=1e-5)
    assert np.isfinite(engine.columns(features("{0} {x}"))).all()


def test_a_classifier_over_luke(luke: Path) -> None:
    goals, goods = [f"Go {n} camp" for n in range(8)], [f"Red {n} shirt" for n in range(8)]
    head = IntentClassifier(LukeEngine(str(luke)))
    head.fit(features(*goals, *goods), [True] * 8 + [False] * 8)
    chances = head.chances(features("Go 9 camp", "Red 9 shirt"))
    assert chances.shape == (2,)
    assert ((chances >= 0) & (chances <= 1)).all()


WORDS = ["<pad>", "</s>", "<unk>", "To", "plan", "a", "party", "store", "shopper", "group"]
PARTY = Assortment(("Arts & Entertainment", "Party Supplies"), ("Balloons", "Candles"))
CAMPING = Assortment(("Sporting Goods", "Camping & Hiking"), ("Tents",))


def instructed(folder: Path, answer: str, steps: int = 60) -> Instructed:
    """T5 of one layer, taught to give this one answer to whatever it is asked."""
    words = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", pad_token="<pad>", eos_token="</s>", model_max_length=60
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(WORDS), d_model=32, d_kv=16, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    model = T5ForConditionalGeneration(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.02)
    asked = torch.randint(2, len(WORDS), (8, 20))
    labels = torch.tensor([[*tokenizer(answer)["input_ids"], 1]] * 8)
    for _ in range(steps):
        optimizer.zero_grad()
        model(input_ids=asked, labels=labels).loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    return Instructed(str(folder))


def test_an_instruction_model_rewrites(tmp_path: Path) -> None:
    """The sentence begins with its verb in lower case."""
    assert instructed(tmp_path, "To plan a party").rewrite([PARTY, CAMPING]) == ["plan a party"] * 2


def test_what_is_no_phrase_is_left_to_the_grammar(tmp_path: Path) -> None:
    assert instructed(tmp_path, "a").rewrite([PARTY, CAMPING]) == Grammar().rewrite([PARTY, CAMPING])


def test_missing_models_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    for place in (tmp_path / "none", tmp_path):
        for engine, instead in ((LukeEngine, "--engine minilm"), (Instructed, "--rewriter grammar")):
            with pytest.raises(ArtefactError, match=rf"^model {place} cannot be loaded .*{instead}$") as refused:
                engine(str(place))
            assert "\n" not in str(refused.value)
