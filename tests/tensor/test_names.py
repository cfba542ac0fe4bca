"""Names that are not in workbench.tensor."""

from __future__ import annotations

import pytest

import workbench.tensor as T


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("softmax", "It is T.nnet.softmax"),
        ("cholesky", "It is T.linalg.cholesky"),
        ("RandomStreams", "It is T.random.RandomStreams"),
        ("summ", "Did you mean 'sum'?"),
        ("_summ", ""),
    ],
)
def test_the_error_says_where_to_look(name, hint):
    with pytest.raises(AttributeError, match=f"no attribute '{name}'") as caught:
        getattr(T, name)
    assert str(caught.value).partition(".tensor' has no attribute")[2].endswith(hint or "'.")
