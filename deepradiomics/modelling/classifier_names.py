"""The classifiers by name, and what reports call them; light, for command lines and configurations."""

from typing import Literal, get_args

ClassifierName = Literal["random-forest", "xgboost", "naive-bayes", "extra-trees", "elastic-net", "svm"]
CLASSIFIERS: tuple[ClassifierName, ...] = get_args(ClassifierName)
CLASSIFIER_TITLES: dict[str, str] = {
    "random-forest": "Random forest",
    "xgboost": "XGBoost",
    "naive-bayes": "Naive Bayes",
    "extra-trees": "Extra Trees",
    "elastic-net": "Elastic net",
    "svm": "SVM (RBF)",
}
