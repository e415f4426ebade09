"""Single ops of ai.onnx.ml as models of one node: (name, model, inputs). Made with onnx.helper, no strings."""

import itertools

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT, DOUBLE, INT64, INT32 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.INT32
DTYPES = {FLOAT: np.float32, DOUBLE: np.float64, INT64: np.int64, INT32: np.int32}
POST = ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"]


def model(op, inputs, outputs, version=3, **attributes):
    """A model of one node; inputs are (name, type, shape), outputs (name, type)."""
    node = helper.make_node(op, [i[0] for i in inputs], [o[0] for o in outputs], name=op, domain="ai.onnx.ml",
                            **attributes)
    graph = helper.make_graph([node], op, [helper.make_tensor_value_info(*i) for i in inputs],
                              [helper.make_tensor_value_info(o[0], o[1], None) for o in outputs])
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18),
                                                                 helper.make_opsetid("ai.onnx.ml", version)])


def random_tree(rng, features, depth, modes, values):
    """Lists of one tree: a random shape, thresholds drawn from `values` so that equality happens."""
    nodes = []

    def grow(level):
        index = len(nodes)
        nodes.append(None)
        if level == depth or (level > 1 and rng.random() < 0.2):
            nodes[index] = ("LEAF", 0, 0.0, 0, 0, 0)
            return index
        mode = modes[rng.integers(len(modes))]
        yes = grow(level + 1)
        no = grow(level + 1)
        nodes[index] = (mode, int(rng.integers(features)), float(values[rng.integers(len(values))]), yes, no,
                        int(rng.integers(2)))
        return index

    grow(0)
    return nodes


def tree_lists(rng, trees, features, depth, modes, values, prefix, targets, per_tree=False, positive=False, dense=False):
    """The attributes of an ensemble of random trees."""
    out = {f"nodes_{k}": [] for k in ("treeids", "nodeids", "modes", "featureids", "values", "truenodeids",
                                      "falsenodeids", "missing_value_tracks_true")}
    weights = {f"{prefix}_{k}": [] for k in ("treeids", "nodeids", "ids", "weights")}
    for tree in range(trees):
        for index, (mode, feature, value, yes, no, missing) in enumerate(
                random_tree(rng, features, depth, modes, values)):
            for key, item in zip(out, (tree, index, mode, feature, value, yes, no, missing)):
                out[key].append(item)
            if mode != "LEAF":
                continue
            chosen = range(targets) if dense else [tree % targets if per_tree else int(rng.integers(targets))]
            for target in chosen:
                weight = float(np.float32(rng.random() / trees if positive else rng.normal()))
                for key, item in zip(weights, (tree, index, target, weight)):
                    weights[key].append(item)
    return {**out, **weights}


def grid(rng, rows, features, values, missing):
    """Rows whose numbers are often equal to a threshold, zeros of both signs, infinities and NaN among them."""
    pool = np.concatenate([values, [0.0, -0.0, np.inf, -np.inf, 1e30], rng.normal(size=8)]).astype(np.float32)
    x = pool[rng.integers(len(pool), size=(rows, features))]
    if missing:
        x[rng.random(x.shape) < 0.15] = np.nan
    return x


def tree_cases():
    values = np.array([-1.5, -0.25, 0.0, 0.5, 1.0, 2.0], np.float32)
    branches = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
    x = [("x", FLOAT, ["rows", 5])]
    y = [("y", FLOAT)]
    both = [("label", INT64), ("scores", FLOAT)]
    for mode, missing in itertools.product(branches, (False, True)):
        rng = np.random.default_rng(len(mode) + missing)
        lists = tree_lists(rng, 6, 5, 4, [mode], values, "target", 1)
        yield (f"regressor {mode}{' NaN' if missing else ''}",
               model("TreeEnsembleRegressor", x, y, n_targets=1, **lists),
               [grid(rng, 37, 5, values, missing)])
    for aggregate, targets, per_tree in itertools.product(["SUM", "AVERAGE", "MIN", "MAX"], (1, 3), (False, True)):
        rng = np.random.default_rng(targets)
        lists = tree_lists(rng, 12, 5, 5, branches, values, "target", targets, per_tree)
        base = {"base_values": [0.5, -1.0, 2.0][:targets]} if per_tree else {}
        yield (f"regressor {aggregate} {targets}{' by tree' if per_tree else ''}",
               model("TreeEnsembleRegressor", x, y, n_targets=targets, aggregate_function=aggregate, **lists, **base),
               [grid(rng, 29, 5, values, True)])
    for post in POST:
        rng = np.random.default_rng(3)
        lists = tree_lists(rng, 10, 5, 4, ["BRANCH_LEQ"], values, "target", 3, positive=True, dense=True)
        yield (f"regressor {post}", model("TreeEnsembleRegressor", x, y, n_targets=3, post_transform=post, **lists),
               [grid(rng, 19, 5, values, True)])
    for post, positive, classes in itertools.product(POST, (False, True), (2, 4)):
        if classes == 2 and post == "PROBIT":
            continue
        rng = np.random.default_rng(7)
        lists = tree_lists(rng, 9, 5, 4, ["BRANCH_LEQ"], values, "class", 1 if classes == 2 else classes,
                           positive=positive, dense=True)
        labels = [7, 3, 11, -2][:classes]
        yield (f"classifier {classes} {post}{' positive' if positive else ''}",
               model("TreeEnsembleClassifier", x, both, classlabels_int64s=labels, post_transform=post, **lists),
               [grid(rng, 23, 5, values, True)])
    rng = np.random.default_rng(8)
    lists = tree_lists(rng, 9, 5, 4, ["BRANCH_LT"], values, "class", 1)
    yield ("classifier base", model("TreeEnsembleClassifier", x, both, classlabels_int64s=[4, 5], base_values=[0.3],
                                    post_transform="LOGISTIC", **lists), [grid(rng, 23, 5, values, False)])
    for dtype in (DOUBLE, INT64, INT32):
        rng = np.random.default_rng(9)
        lists = tree_lists(rng, 9, 5, 5, ["BRANCH_LEQ"], values, "class", 3, dense=True)
        data = rng.integers(-3, 4, size=(21, 5)).astype(DTYPES[dtype])
        yield (f"classifier of {np.dtype(DTYPES[dtype])}",
               model("TreeEnsembleClassifier", [("x", dtype, ["rows", 5])], both, classlabels_int64s=[0, 1, 2], **lists),
               [data])
    # Thresholds that differ from the rows in the last bit of a double.
    rng = np.random.default_rng(10)
    lists = tree_lists(rng, 9, 5, 5, ["BRANCH_LEQ", "BRANCH_GT"], values, "target", 1)
    exact = np.nextafter(np.asarray(lists.pop("nodes_values")), rng.integers(-1, 2, len(lists["nodes_modes"])) * 10.0)
    weights = np.asarray(lists.pop("target_weights"), np.float64)
    data = values.astype(np.float64)[rng.integers(len(values), size=(40, 5))]
    yield ("regressor of double", model("TreeEnsembleRegressor", [("x", DOUBLE, ["rows", 5])], y, n_targets=1,
                                        nodes_values_as_tensor=numpy_helper.from_array(exact),
                                        target_weights_as_tensor=numpy_helper.from_array(weights), **lists), [data])
    # A tree that is one leaf, and one that is far deeper than the others.
    yield ("regressor of a leaf", model("TreeEnsembleRegressor", x, y, n_targets=1, nodes_treeids=[0], nodes_nodeids=[0],
                                        nodes_modes=["LEAF"], nodes_featureids=[0], nodes_values=[0.0],
                                        nodes_truenodeids=[0], nodes_falsenodeids=[0], target_treeids=[0],
                                        target_nodeids=[0], target_ids=[0], target_weights=[2.5]),
           [grid(rng, 9, 5, values, True)])
    depth = 60
    chain = {"nodes_treeids": [0] * (2 * depth + 1), "nodes_nodeids": list(range(2 * depth + 1)),
             "nodes_modes": ["BRANCH_GT", "LEAF"] * depth + ["LEAF"], "nodes_featureids": [0] * (2 * depth + 1),
             "nodes_values": [float(i // 2) for i in range(2 * depth + 1)],
             "nodes_truenodeids": [i + 2 for i in range(2 * depth + 1)],
             "nodes_falsenodeids": [i + 1 for i in range(2 * depth + 1)]}
    chain["nodes_truenodeids"][-1] = chain["nodes_falsenodeids"][-1] = 0
    leaves = [i for i, mode in enumerate(chain["nodes_modes"]) if mode == "LEAF"]
    yield ("regressor of a chain", model("TreeEnsembleRegressor", x, y, n_targets=1, **chain,
                                         target_treeids=[0] * len(leaves), target_nodeids=leaves,
                                         target_ids=[0] * len(leaves), target_weights=[float(i) for i in leaves]),
           [rng.integers(-3, 65, size=(33, 5)).astype(np.float32)])


def ensemble_cases():
    """TreeEnsemble 5, memberships among the modes."""
    for dtype, aggregate, post in itertools.product((FLOAT, DOUBLE), range(4), (0, 3)):
        rng = np.random.default_rng(aggregate)
        real = DTYPES[dtype]
        values = np.array([-1, 0, 1, 2, 3, 4], real)
        splits, features, modes, yes, yes_leaf, no, no_leaf, missing, members, roots = ([] for _ in range(10))
        leaf_targets, leaf_weights = [], []

        def leaf():
            leaf_targets.append(int(rng.integers(2)))
            leaf_weights.append(rng.normal())
            return len(leaf_targets) - 1, 1

        def grow(level):
            index = len(splits)
            mode = int(rng.integers(7))
            splits.append(values[rng.integers(len(values))])
            features.append(int(rng.integers(4)))
            modes.append(mode)
            missing.append(int(rng.integers(2)))
            for place in (yes, yes_leaf, no, no_leaf):
                place.append(0)
            if mode == 6:
                members.extend([*rng.choice(values, int(rng.integers(1, 5)), replace=False), np.nan])
            for ids, flags in ((yes, yes_leaf), (no, no_leaf)):
                if level == 3 or rng.random() < 0.2:
                    ids[index], flags[index] = leaf()
                else:
                    ids[index], flags[index] = grow(level + 1), 0
            return index

        for _ in range(7):
            roots.append(grow(0))
        tensor = numpy_helper.from_array
        x = values[rng.integers(len(values), size=(31, 4))]
        x[rng.random(x.shape) < 0.1] = np.nan
        yield (f"ensemble {np.dtype(real)} {aggregate} {post}",
               model("TreeEnsemble", [("x", dtype, ["rows", 4])], [("y", dtype)], 5, n_targets=2,
                     aggregate_function=aggregate, post_transform=post, tree_roots=roots,
                     nodes_modes=tensor(np.array(modes, np.uint8)), nodes_splits=tensor(np.array(splits, real)),
                     nodes_featureids=features, nodes_truenodeids=yes, nodes_trueleafs=yes_leaf, nodes_falsenodeids=no,
                     nodes_falseleafs=no_leaf, nodes_missing_value_tracks_true=missing, leaf_targetids=leaf_targets,
                     membership_values=tensor(np.array(members, real)),
                     leaf_weights=tensor(np.array(leaf_weights, real))), [x])


def linear_cases():
    rng = np.random.default_rng(20)
    data = rng.normal(size=(17, 3)).astype(np.float32)
    x, both = [("x", FLOAT, ["rows", 3])], [("label", INT64), ("scores", FLOAT)]
    weights = [float(v) for v in rng.normal(size=9)]
    for post in POST:
        yield (f"linear regressor {post}", model("LinearRegressor", x, [("y", FLOAT)], coefficients=weights[:6],
                                                 intercepts=[0.5, -0.25], targets=2, post_transform=post), [data])
        yield (f"linear classifier 3 {post}",
               model("LinearClassifier", x, both, coefficients=weights, intercepts=[0.1, 0.2, -0.3],
                     classlabels_ints=[5, 7, 9], post_transform=post), [data])
        if post != "PROBIT":
            yield (f"linear classifier 1 {post}",
                   model("LinearClassifier", x, both, coefficients=weights[:3], intercepts=[0.1],
                         classlabels_ints=[5, 7], post_transform=post), [data])
    for dtype in (DOUBLE, INT64, INT32):
        yield (f"linear classifier of {np.dtype(DTYPES[dtype])}",
               model("LinearClassifier", [("x", dtype, ["rows", 3])], both, coefficients=weights[:6],
                     intercepts=[0.1, 0.2], classlabels_ints=[1, 2]), [(data * 3).astype(DTYPES[dtype])])


def svm_cases():
    rng = np.random.default_rng(30)
    data = rng.normal(size=(15, 3)).astype(np.float32)
    x, both = [("x", FLOAT, ["rows", 3])], [("label", INT64), ("scores", FLOAT)]
    vectors = [float(v) for v in rng.normal(size=21)]
    coefficients = [float(v) for v in rng.normal(size=14)]
    for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID"):
        common = {"kernel_type": kernel, "kernel_params": [0.4, 0.3, 3.0]}
        for one_class in (0, 1):
            yield (f"svm regressor {kernel}{' one class' if one_class else ''}",
                   model("SVMRegressor", x, [("y", FLOAT)], coefficients=coefficients[:7], rho=[0.2], n_supports=7,
                         support_vectors=vectors, one_class=one_class, **common), [data])
        for proba in ({}, {"prob_a": [-1.2, -0.8, -1.1], "prob_b": [0.1, 0.0, -0.2]}):
            yield (f"svm classifier 3 {kernel}{' probabilities' if proba else ''}",
                   model("SVMClassifier", x, both, coefficients=coefficients, rho=[0.1, -0.2, 0.05],
                         support_vectors=vectors, vectors_per_class=[3, 2, 2], classlabels_ints=[4, 5, 6], **common,
                         **proba), [data])
    for post, proba in itertools.product(POST[:4], ({}, {"prob_a": [-1.2], "prob_b": [0.1]})):
        yield (f"svm classifier 2 {post}{' probabilities' if proba else ''}",
               model("SVMClassifier", x, both, coefficients=coefficients[:7], rho=[0.1], support_vectors=vectors,
                     vectors_per_class=[4, 3], classlabels_ints=[4, 5], kernel_type="RBF",
                     kernel_params=[0.4, 0.0, 3.0], post_transform=post, **proba), [data])
    for classes in (2, 3):
        yield (f"svm classifier {classes} without vectors",
               model("SVMClassifier", x, both, coefficients=vectors[:3 * classes], rho=[0.1],
                     classlabels_ints=[4, 5, 6][:classes], kernel_type="LINEAR", kernel_params=[0.0, 0.0, 0.0]), [data])


def feature_cases():
    rng = np.random.default_rng(40)
    y = [("y", FLOAT)]
    for dtype in (FLOAT, DOUBLE, INT64, INT32):
        data = (rng.normal(size=(11, 4)) * 5).astype(DTYPES[dtype])
        data[3] = 0
        x, name = [("x", dtype, ["rows", 4])], np.dtype(DTYPES[dtype])
        yield (f"scaler {name}", model("Scaler", x, y, offset=[0.5, 1.0, -2.0, 0.0], scale=[2.0, 0.5, 1.0, 3.0]), [data])
        yield f"scaler of one {name}", model("Scaler", x, y, offset=[0.5], scale=[2.0]), [data]
        for norm in ("MAX", "L1", "L2"):
            yield f"normalizer {norm} {name}", model("Normalizer", x, y, norm=norm), [data]
    data = (rng.normal(size=(11, 4)) * 5).astype(np.float32)
    x = [("x", FLOAT, ["rows", 4])]
    yield "binarizer", model("Binarizer", x, y, threshold=0.7), [data]
    holes = data.copy()
    holes[rng.random(holes.shape) < 0.3] = np.nan
    yield ("imputer NaN", model("Imputer", x, y, imputed_value_floats=[1.0, 2.0, 3.0, 4.0],
                                replaced_value_float=float("nan")), [holes])
    yield ("imputer one", model("Imputer", x, y, imputed_value_floats=[1.5], replaced_value_float=float("nan")), [holes])
    whole = rng.integers(-2, 3, size=(11, 4))
    yield ("imputer int64", model("Imputer", [("x", INT64, ["rows", 4])], [("y", INT64)],
                                  imputed_value_int64s=[10, 20, 30, 40], replaced_value_int64=-1), [whole])
    for shape, rank in (([3], 2), ([1, 2], 2), ([2], 1)):
        indices = rng.integers(0, 4, size=shape)
        yield (f"array feature extractor {shape} of rank {rank}",
               model("ArrayFeatureExtractor", [("x", FLOAT, ["rows", 4][2 - rank:]), ("i", INT64, shape)], y),
               [data if rank == 2 else data[0], indices])
    yield ("feature vectorizer", model("FeatureVectorizer", [("a", FLOAT, ["rows", 4]), ("b", FLOAT, ["rows", 2])], y,
                                       inputdimensions=[4, 2]), [data, data[:, :2].copy()])


def category_cases():
    rng = np.random.default_rng(50)
    ints, floats = [("x", INT64, ["rows", 3])], [("x", FLOAT, ["rows", 3])]
    whole = rng.integers(-2, 9, size=(13, 3))
    keys = [5, -1, 3, 8, 0]
    yield ("label encoder int64 float", model("LabelEncoder", ints, [("y", FLOAT)], 2, keys_int64s=keys,
                                              values_floats=[0.5, 1.5, 2.5, 3.5, 4.5], default_float=-7.0), [whole])
    yield ("label encoder int64 int64", model("LabelEncoder", ints, [("y", INT64)], 2, keys_int64s=keys,
                                              values_int64s=[9, 8, 7, 6, 5]), [whole])
    yield ("label encoder float int64", model("LabelEncoder", floats, [("y", INT64)], 2,
                                              keys_floats=[float(k) for k in keys], values_int64s=[9, 8, 7, 6, 5],
                                              default_int64=-3), [whole.astype(np.float32)])
    holes = whole.astype(np.float32)
    holes[rng.random(holes.shape) < 0.3] = np.nan
    yield ("label encoder NaN", model("LabelEncoder", floats, [("y", FLOAT)], 4,
                                      keys_floats=[float("nan"), 3.0, 5.0], values_floats=[1.0, 2.0, 3.0],
                                      default_float=0.5), [holes])
    many = np.random.default_rng(1).permutation(5000)
    yield ("label encoder of many", model("LabelEncoder", ints, [("y", INT64)], 4,
                                          keys_tensor=numpy_helper.from_array(many * 3),
                                          values_tensor=numpy_helper.from_array(many),
                                          default_tensor=numpy_helper.from_array(np.array([-5]))),
           [rng.integers(0, 15000, size=(40, 3))])
    for dtype in (INT64, FLOAT, DOUBLE):
        yield (f"one hot encoder {np.dtype(DTYPES[dtype])}",
               model("OneHotEncoder", [("x", dtype, ["rows", 3])], [("y", FLOAT)], cats_int64s=[0, 3, 5, 8], zeros=1),
               [whole.astype(DTYPES[dtype])])


def all_cases():
    for make in (tree_cases, ensemble_cases, linear_cases, svm_cases, feature_cases, category_cases):
        yield from make()
