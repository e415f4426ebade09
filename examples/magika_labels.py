#!/usr/bin/env python3
"""Writes the label table of the installed `magika` package for magika_host.

Each line: the model's label, the label to show, the least score to trust it, and the label to show below that score.

    magika_labels.py OUTPUT        also prints the path of the package's model.onnx
"""

import json
import pathlib
import sys

import magika


def find_model():
    """The newest of the models that the package carries."""
    folders = sorted((pathlib.Path(magika.__file__).parent / "models").glob("*/model.onnx"))
    if not folders:
        sys.exit("the installed package magika carries no model.onnx")
    return folders[-1]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: magika_labels.py OUTPUT")
    model = find_model()
    config = json.loads((model.parent / "config.min.json").read_text())
    kinds = json.loads((pathlib.Path(magika.__file__).parent / "config" / "content_types_kb.min.json").read_text())
    expected = {"beg_size": 1024, "mid_size": 0, "end_size": 1024, "padding_token": 256, "block_size": 4096,
                "min_file_size_for_dl": 8, "use_inputs_at_offsets": False}
    different = [key for key, value in expected.items() if config[key] != value]
    if different:
        sys.exit("this model reads files in another way than magika_host: %s" % ", ".join(different))
    with open(sys.argv[1], "w") as output:
        for label in config["target_labels_space"]:
            shown = config["overwrite_map"].get(label, label)
            threshold = config["thresholds"].get(label, config["medium_confidence_threshold"])
            fallback = "txt" if kinds[shown]["is_text"] else "unknown"
            print(label, shown, threshold, fallback, file=output)
    print(model)


if __name__ == "__main__":
    main()
