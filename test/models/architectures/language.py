"""Language models of the transformers package, built from their configurations alone."""

import re

import numpy as np
import torch
import transformers
from torch import nn

from .entry import DYNAMO, STATIC, SYMBOLIC, Architecture, Export, Output, token_cases
from .liven import redraw

VOCABULARY_BERT = 30522
VOCABULARY_GPT2 = 50257
GPT2_LAYERS = 12


def _sharpen_attention(model):
    """Lets attention choose: with plain random weights every row would average all tokens, after some layers
    all tokens would be equal, and the queries and keys of later layers could not be seen in the outputs.
    """
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if re.search(r"(query|key|q_lin|k_lin)\.weight$", name):
                parameter *= 2.0
            elif re.search(r"(attention\.output\.dense|out_lin)\.weight$", name):
                parameter *= 0.5
    return model.eval()


def _quiet(config, attention):
    config.return_dict = False
    config._attn_implementation = attention
    return config


class Bert(nn.Module):
    def __init__(self):
        super().__init__()
        self.bert = transformers.BertModel(_quiet(transformers.BertConfig(), "eager"))

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.bert(input_ids, attention_mask, token_type_ids)[:2]


class DistilBert(nn.Module):
    def __init__(self):
        super().__init__()
        config = _quiet(transformers.DistilBertConfig(num_labels=4), "sdpa")
        self.model = transformers.DistilBertForSequenceClassification(config)

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids, attention_mask)[0]


class Gpt2Prefill(nn.Module):
    """The whole prompt at once; returns the scores and every layer's keys and values."""

    def __init__(self):
        super().__init__()
        self.model = transformers.GPT2LMHeadModel(_quiet(transformers.GPT2Config(), "eager"))

    def forward(self, input_ids):
        logits, cache = self.model(input_ids, use_cache=True)[:2]
        return (logits, *(tensor for layer in cache for tensor in layer))


class Gpt2Decode(Gpt2Prefill):
    """One more token, with the keys and values of those before it."""

    def forward(self, input_ids, *past):
        past = tuple((past[2 * i], past[2 * i + 1]) for i in range(GPT2_LAYERS))
        logits, cache = self.model(input_ids, past_key_values=past, use_cache=True)[:2]
        return (logits, *(tensor for layer in cache for tensor in layer))


def _masked_cases(shapes, vocabulary, with_types):
    """Sentences of unequal length: all but the first of a batch end in padding."""
    rng = np.random.default_rng(9)
    cases = []
    for name, (ids,) in token_cases(shapes, vocabulary, seed=9):
        mask = np.ones_like(ids)
        for row in range(1, ids.shape[0]):
            mask[row, rng.integers(max(ids.shape[1] // 3, 1), ids.shape[1] + 1):] = 0
        arrays = [ids, mask]
        if with_types:
            arrays.append((np.arange(ids.shape[1])[None, :] >= rng.integers(1, 9, (ids.shape[0], 1))).astype(np.int64))
        cases.append((name, tuple(arrays)))
    return cases


def _decode_cases():
    rng = np.random.default_rng(10)
    cases = []
    for batch, past in ((1, 63), (2, 17), (3, 1)):
        ids = rng.integers(0, VOCABULARY_GPT2, (batch, 1), dtype=np.int64)
        cache = [rng.standard_normal((batch, 12, past, 64), dtype=np.float32) for _ in range(2 * GPT2_LAYERS)]
        cases.append((f"b{batch}_p{past}", (ids, *cache)))
    return cases


CACHE = [f"{kind}_{layer}" for layer in range(GPT2_LAYERS) for kind in ("key", "value")]
PAST = tuple(f"past_{name}" for name in CACHE)
PRESENT = tuple(f"present_{name}" for name in CACHE)
TOKENS = {0: "batch", 1: "seq"}
LENGTHS = [(1, 128), (2, 128), (3, 21), (1, 7)]

ARCHITECTURES = [
    Architecture(
        "bert_base", lambda: _sharpen_attention(redraw(Bert(), 51)),
        lambda: _masked_cases(LENGTHS, VOCABULARY_BERT, with_types=True),
        ("input_ids", "attention_mask", "token_type_ids"), (Output("last_hidden_state"), Output("pooler_output")),
        dims={"input_ids": TOKENS, "attention_mask": TOKENS, "token_type_ids": TOKENS,
              "last_hidden_state": TOKENS, "pooler_output": {0: "batch"}},
        exports=(STATIC, SYMBOLIC, Export(suffix="-external", external_data=True)),
    ),
    Architecture(
        "distilbert", lambda: _sharpen_attention(redraw(DistilBert(), 52)),
        lambda: _masked_cases(LENGTHS, VOCABULARY_BERT, with_types=False),
        ("input_ids", "attention_mask"), (Output("logits", argmax=True),),
        dims={"input_ids": TOKENS, "attention_mask": TOKENS, "logits": {0: "batch"}},
    ),
    Architecture(
        "gpt2_prefill", lambda: redraw(Gpt2Prefill(), 53).eval(),
        lambda: token_cases([(1, 64), (2, 33), (1, 5)], VOCABULARY_GPT2),
        ("input_ids",), (Output("logits", argmax=True), *(Output(n) for n in PRESENT)),
        dims={"input_ids": TOKENS, "logits": TOKENS, **{n: {0: "batch", 2: "seq"} for n in PRESENT}},
    ),
    Architecture(
        "gpt2_decode", lambda: redraw(Gpt2Decode(), 53).eval(), _decode_cases,
        ("input_ids", *PAST), (Output("logits", argmax=True), *(Output(n) for n in PRESENT)),
        dims={"input_ids": {0: "batch"}, "logits": {0: "batch"},
              **{n: {0: "batch", 2: "past"} for n in PAST},
              **{n: {0: "batch", 2: "past+1"} for n in PRESENT}},
    ),
]
