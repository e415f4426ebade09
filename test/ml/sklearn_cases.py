"""Models trained by scikit-learn and LightGBM and converted by skl2onnx and onnxmltools: (name, model, inputs)."""

import warnings

import lightgbm
import numpy as np
import onnxmltools
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn import (cluster, compose, cross_decomposition, datasets, decomposition, discriminant_analysis, ensemble,
                     feature_selection, gaussian_process, impute, linear_model, mixture, naive_bayes, neighbors,
                     neural_network, pipeline, preprocessing, svm, tree)

ROWS, FEATURES = 240, 8


def data(classes):
    """Rows of float32 and their classes, or targets for `classes` 0."""
    if classes:
        x, y = datasets.make_classification(ROWS, FEATURES, n_informative=6, n_redundant=0, n_classes=classes, random_state=classes)
    else:
        x, y = datasets.make_regression(ROWS, FEATURES, noise=3.0, random_state=1)
    return x.astype(np.float32), y


def classifiers():
    for classes in (2, 3):
        yield classes, "decision tree", tree.DecisionTreeClassifier(max_depth=6, random_state=0)
        yield classes, "random forest", ensemble.RandomForestClassifier(20, max_depth=7, random_state=0)
        yield classes, "deep forest", ensemble.RandomForestClassifier(20, random_state=0)
        yield classes, "extra trees", ensemble.ExtraTreesClassifier(20, max_depth=7, random_state=0)
        yield classes, "gradient boosting", ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0)
        yield classes, "hist gradient boosting", ensemble.HistGradientBoostingClassifier(max_iter=20, random_state=0)
        yield classes, "ada boost", ensemble.AdaBoostClassifier(n_estimators=10, random_state=0)
        yield classes, "bagging", ensemble.BaggingClassifier(n_estimators=5, random_state=0)
        yield classes, "voting", ensemble.VotingClassifier(
            [("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier(max_depth=4))], voting="soft",
            flatten_transform=False)
        yield classes, "logistic regression", linear_model.LogisticRegression(max_iter=500)
        yield classes, "ridge", linear_model.RidgeClassifier()
        yield classes, "sgd", linear_model.SGDClassifier(loss="log_loss", random_state=0)
        yield classes, "perceptron", linear_model.Perceptron(random_state=0)
        yield classes, "linear svc", svm.LinearSVC(random_state=0)
        yield classes, "svc rbf", svm.SVC()
        yield classes, "svc poly", svm.SVC(kernel="poly", coef0=0.5)
        yield classes, "nu svc", svm.NuSVC(nu=0.3)
        yield classes, "gaussian nb", naive_bayes.GaussianNB()
        yield classes, "bernoulli nb", naive_bayes.BernoulliNB()
        yield classes, "mlp", neural_network.MLPClassifier(hidden_layer_sizes=(16, 8), max_iter=60, random_state=0)
        yield classes, "k nearest", neighbors.KNeighborsClassifier(3)
        yield classes, "linear discriminant", discriminant_analysis.LinearDiscriminantAnalysis()
        yield classes, "quadratic discriminant", discriminant_analysis.QuadraticDiscriminantAnalysis()
        yield classes, "scaled logistic", pipeline.make_pipeline(preprocessing.StandardScaler(),
                                                                 linear_model.LogisticRegression())
        yield classes, "pca and svc", pipeline.make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(4),
                                                             svm.SVC())
        yield classes, "imputed forest", pipeline.make_pipeline(
            impute.SimpleImputer(), ensemble.RandomForestClassifier(8, max_depth=5, random_state=0))


def regressors():
    yield "decision tree", tree.DecisionTreeRegressor(max_depth=6, random_state=0)
    yield "random forest", ensemble.RandomForestRegressor(20, max_depth=7, random_state=0)
    yield "deep forest", ensemble.RandomForestRegressor(20, random_state=0)
    yield "extra trees", ensemble.ExtraTreesRegressor(20, random_state=0)
    yield "gradient boosting", ensemble.GradientBoostingRegressor(n_estimators=20, random_state=0)
    yield "hist gradient boosting", ensemble.HistGradientBoostingRegressor(max_iter=20, random_state=0)
    yield "linear", linear_model.LinearRegression()
    yield "ridge", linear_model.Ridge()
    yield "lasso", linear_model.Lasso()
    yield "huber", linear_model.HuberRegressor(max_iter=500)
    yield "poisson-like", linear_model.TweedieRegressor(power=0)
    yield "svr rbf", svm.SVR(C=100)
    yield "svr linear", svm.SVR(kernel="linear")
    yield "nu svr", svm.NuSVR(C=100)
    yield "mlp", neural_network.MLPRegressor(hidden_layer_sizes=(16, 8), max_iter=60, random_state=0)
    yield "k nearest", neighbors.KNeighborsRegressor(3)
    yield "gaussian process", gaussian_process.GaussianProcessRegressor(alpha=1.0)
    yield "pls", cross_decomposition.PLSRegression(3)
    yield "polynomial", pipeline.make_pipeline(preprocessing.PolynomialFeatures(2), linear_model.Ridge())


def transformers():
    yield "standard scaler", preprocessing.StandardScaler()
    yield "min max scaler", preprocessing.MinMaxScaler()
    yield "max abs scaler", preprocessing.MaxAbsScaler()
    yield "robust scaler", preprocessing.RobustScaler()
    for norm in ("l1", "l2"):
        yield f"normalizer {norm}", preprocessing.Normalizer(norm)
    yield "binarizer", preprocessing.Binarizer(threshold=0.2)
    yield "k bins", preprocessing.KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf")
    yield "pca", decomposition.PCA(3)
    yield "truncated svd", decomposition.TruncatedSVD(3, random_state=0)
    yield "k means", cluster.KMeans(4, n_init=3, random_state=0)
    yield "mixture", mixture.GaussianMixture(3, random_state=0)
    yield "select", feature_selection.SelectKBest(k=3)
    yield "imputer", impute.SimpleImputer(strategy="median")
    yield "isolation forest", ensemble.IsolationForest(n_estimators=10, random_state=0)
    yield "columns", compose.ColumnTransformer([("a", preprocessing.StandardScaler(), [0, 1, 2]),
                                                ("b", preprocessing.MinMaxScaler(), [3, 4])])


def without_zipmap(estimator):
    last = estimator[-1] if isinstance(estimator, pipeline.Pipeline) else estimator
    return {id(last): {"zipmap": False}} if hasattr(last, "classes_") and not isinstance(last, svm.LinearSVC) else None


def convert(estimator, x):
    return to_onnx(estimator, x[:1], options=without_zipmap(estimator), target_opset={"": 18, "ai.onnx.ml": 3})


def lightgbm_cases():
    for classes in (0, 2, 4):
        x, y = data(classes)
        x = x.copy()
        x[np.random.default_rng(0).random(x.shape) < 0.05] = np.nan
        kind = lightgbm.LGBMClassifier if classes else lightgbm.LGBMRegressor
        fitted = kind(n_estimators=25, num_leaves=24, verbose=-1).fit(x, y)
        options = {"zipmap": False} if classes else {}
        yield (f"lightgbm {classes or 'regressor'}",
               onnxmltools.convert_lightgbm(fitted, initial_types=[("x", FloatTensorType([None, FEATURES]))],
                                            target_opset=15, **options), [x])


def all_cases():
    warnings.filterwarnings("ignore")
    for classes, name, estimator in classifiers():
        x, y = data(classes)
        yield f"{name} {classes}", convert(estimator.fit(x, y), x), [x]
    for name, estimator in regressors():
        x, y = data(0)
        yield f"{name} regressor", convert(estimator.fit(x, y), x), [x]
    for name, estimator in transformers():
        x, y = data(2)
        yield name, convert(estimator.fit(x, y), x), [x]
    yield from lightgbm_cases()
