"""Local indexes, and what an index of every projection gives: tuples, partial models, whole items."""

from __future__ import annotations

import pytest

from dynamorm_async import Attr, Database, UsageError, attr, index, model, partition_key, sort_key

pytestmark = pytest.mark.anyio


@model(table="songs")
class Song:
    album: Attr[str] = partition_key()
    track: Attr[int] = sort_key()
    title: Attr[str]
    seconds: Attr[int]
    genre: Attr[str | None] = attr(default=None)
    plays: Attr[int] = attr(default=0)

    by_title = index(sort="title", local=True)
    by_seconds = index(sort="seconds", local=True, projection="keys_only")
    by_genre = index(sort="genre", local=True, projection=["plays"])


SONGS = [
    Song(album="blue", track=n, title=f"t{9 - n}", seconds=n * 37 % 100, genre="folk" if n % 3 else None, plays=n * 10)
    for n in range(1, 9)
]


async def filled(db: Database) -> Database:
    await db.tables.ensure(Song)
    await db.put_many([*SONGS, Song(album="other", track=1, title="t1", seconds=50, genre="folk")])
    return db


async def test_local_indexes_read_consistently(db: Database) -> None:
    """What was just written is there, in the index's order, whole where it holds everything."""
    store = await filled(db)
    query = store.query(Song).where(Song.album == "blue").consistent()
    assert await query.using(Song.by_title) == SONGS[::-1]
    assert await query.using(Song.by_title).where(Song.title > "t5").descending() == SONGS[:3]
    assert await query.where(Song.title == "t1") == SONGS[7:]  # found by itself: the table has no key for it
    by_length = sorted(SONGS, key=lambda song: song.seconds)
    assert await query.using(Song.by_seconds).hydrate() == by_length
    assert (
        await query.using(Song.by_seconds).where(Song.seconds.between(30, 80)).hydrate().limit(3)
        == [song for song in by_length if 30 <= song.seconds <= 80][:3]
    )


async def test_a_local_index_of_keys_only(db: Database) -> None:
    """Tuples and partial models of its keys and the table's; nothing else is asked of it."""
    store = await filled(db)
    query = store.query(Song).where(Song.album == "blue", Song.seconds < 60)
    short = sorted((song for song in SONGS if song.seconds < 60), key=lambda song: song.seconds)
    assert await query.select(Song.track, Song.seconds) == [(song.track, song.seconds) for song in short]
    partial = await query.using(Song.by_seconds)
    assert [(song.album, song.track, song.seconds) for song in partial] == [
        (song.album, song.track, song.seconds) for song in short
    ]
    with pytest.raises(AttributeError, match="title"):
        _ = partial[0].title
    with pytest.raises(UsageError, match="does not hold all its attributes"):
        await store.put(partial[0])
    assert query.explain().target == "the table"  # which filters, rather than give less than whole items unasked
    assert await query == sorted(short, key=lambda song: song.track)
    with pytest.raises(UsageError, match="by_seconds does not hold plays"):
        await query.using(Song.by_seconds).where(Song.plays > 3)


async def test_a_sparse_local_index_with_some_attributes(db: Database) -> None:
    """It holds the items that have its sort key, and of them what it was made to hold, which filters can use."""
    store = await filled(db)
    query = store.query(Song).using(Song.by_genre).where(Song.album == "blue", Song.plays >= 40)
    folk = [song for song in SONGS if song.genre and song.plays >= 40]
    assert sorted(song.track for song in await query) == [song.track for song in folk]
    assert sorted(await query.select(Song.plays, Song.genre)) == [(song.plays, "folk") for song in folk]
    assert sorted(await query.hydrate(), key=lambda song: song.track) == folk
    assert await query.count() == len(folk)
