"""Pages that only count."""

from __future__ import annotations

import pytest

from dynamorm_async import DecodeError
from dynamorm_async.database.counting import counted_page


def test_an_answer_that_is_not_readable_is_an_error_of_this_library() -> None:
    """A whole one counts; of a cut one nothing is counted, and no error of the JSON parser escapes."""
    assert len(counted_page(b'{"Count":2,"ScannedCount":3}').items) == 2
    with pytest.raises(DecodeError, match="not readable JSON"):
        counted_page(b'{"Count":2,"LastEvaluatedKey":{"id":{"S":"a"}')
