"""Tables in pieces of time: made by month, rebuilt both ways, given to TimescaleDB, dropped."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.state import ModelState, ProjectState
from hypothesis import given
from hypothesis import strategies as st

from project.db.partitions import TimeTable, hypertables, making, rebuilding
from project.db.partitions.operations import PutIntoPieces
from project.db.partitions.tables import month_ms, month_of

PLAIN = TimeTable("trial_note", "at_ms")
MOMENTS = TimeTable("trial_word", "said_at", is_moment=True)


def ms(year, month, day):
    return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)


@given(st.integers(min_value=0, max_value=ms(9999, 12, 1) - 1))
def test_a_moment_lies_in_its_month(moment):
    month = month_of(moment)

    assert month_ms(month) <= moment < month_ms(month + 1)
    assert PLAIN.month_of_piece(PLAIN.piece(month)) == month


@pytest.mark.parametrize(
    "piece", ["trial_note", "trial_note_2026_13", "trial_note_x_1", "other_2026_01"]
)
def test_a_foreign_name_is_no_piece(piece):
    assert PLAIN.month_of_piece(piece) is None


def test_timescale_takes_a_table_of_milliseconds_over():
    table = TimeTable("markets_candle", "open_time", segment_by="series_id")

    assert hypertables.statements(table) == [
        (
            "SELECT create_hypertable('markets_candle', 'open_time',"
            " chunk_time_interval => BIGINT '2592000000', create_default_indexes => FALSE)"
        ),
        hypertables.NOW_MS,
        "SELECT set_integer_now_func('markets_candle', 'millrace_now_ms')",
        (
            'ALTER TABLE "markets_candle" SET (timescaledb.compress,'
            " timescaledb.compress_segmentby = 'series_id',"
            " timescaledb.compress_orderby = 'open_time')"
        ),
        "SELECT add_compression_policy('markets_candle', BIGINT '5184000000')",
    ]
    assert hypertables.drop_statement(table, 5) == (
        "SELECT drop_chunks('markets_candle', older_than => BIGINT '5')"
    )


def test_timescale_takes_a_table_of_moments_over():
    assert hypertables.statements(MOMENTS) == [
        (
            "SELECT create_hypertable('trial_word', 'said_at',"
            " chunk_time_interval => INTERVAL '30 days', create_default_indexes => FALSE)"
        ),
        (
            'ALTER TABLE "trial_word" SET (timescaledb.compress,'
            " timescaledb.compress_orderby = 'said_at')"
        ),
        "SELECT add_compression_policy('trial_word', INTERVAL '60 days')",
    ]
    assert hypertables.drop_statement(MOMENTS, 0) == (
        "SELECT drop_chunks('trial_word',"
        " older_than => TIMESTAMPTZ '1970-01-01 00:00:00.000000+00')"
    )


class _Fake:
    """A cursor of a database that has the extension."""

    def __init__(self, is_one):
        self.is_one = is_one
        self.said = []

    def execute(self, statement, values=None):
        self.said.append(statement)

    def fetchone(self):
        return (1,) if "pg_extension" in self.said[-1] or self.is_one else None


def test_a_hypertable_is_known_as_one():
    assert hypertables.is_one(_Fake(is_one=True), MOMENTS)
    assert not hypertables.is_one(_Fake(is_one=False), MOMENTS)


@pytest.mark.django_db
def test_without_pieces_old_rows_are_deleted_in_portions(monkeypatch):
    monkeypatch.setattr(making, "_PORTION", 3)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE trial_note (id integer, at_ms bigint NOT NULL)")
        rows = [(number, number * 10) for number in range(10)]
        cursor.executemany("INSERT INTO trial_note VALUES (%s, %s)", rows)

        assert making.drop_before(PLAIN, 80) == (0, 8)

        cursor.execute("SELECT at_ms FROM trial_note ORDER BY at_ms")
        assert [row[0] for row in cursor.fetchall()] == [80, 90]


@pytest.mark.django_db
def test_old_rows_by_moment_are_deleted():
    with connection.cursor() as cursor:
        kind = "timestamptz" if connection.vendor == "postgresql" else "datetime"
        cursor.execute(f"CREATE TABLE trial_word (said_at {kind} NOT NULL)")
        for day in (1, 2, 3):
            moment = connection.ops.adapt_datetimefield_value(datetime(2026, 1, day, tzinfo=UTC))
            cursor.execute("INSERT INTO trial_word VALUES (%s)", [moment])

        assert making.drop_before(MOMENTS, ms(2026, 1, 3)) == (0, 2)


class TestOnSqlite:
    """Where there are no pieces nothing is done."""

    @pytest.fixture(autouse=True)
    def _only_here(self, db):
        if connection.vendor == "postgresql":
            pytest.skip("PostgreSQL has partitions")

    def test_nothing_is_asked(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            making.ensure(PLAIN, 0, 1)
            assert making.pieces(PLAIN) == []
            assert rebuilding.into_pieces(None, PLAIN) == ""


def note_model():
    """Return a model as migrations see it: an index, a unique constraint, a check, a key."""
    return ModelState(
        "trial",
        "Note",
        [
            ("id", models.BigAutoField(primary_key=True)),
            ("words", models.CharField(max_length=20, default="", db_index=True)),
            ("at_ms", models.BigIntegerField()),
            ("by", models.ForeignKey("core.Run", models.CASCADE, null=True)),
        ],
        options={
            "constraints": [
                models.UniqueConstraint(fields=["words", "at_ms"], name="trial_note_once"),
                models.CheckConstraint(
                    name="trial_note_positive", condition=models.Q(at_ms__gte=0)
                ),
            ]
        },
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestOnPostgres:
    """Real partitions."""

    @pytest.fixture
    def note(self):
        """Make the table as a migration would, with rows in two months; drop it after."""
        before = ProjectState.from_apps(apps)
        after = before.clone()
        after.add_model(note_model())
        create = migrations.CreateModel(
            "Note", note_model().fields.items(), dict(note_model().options)
        )
        with connection.schema_editor() as editor:
            create.database_forwards("trial", editor, before, after)
        model = after.apps.get_model("trial", "Note")
        for month in (1, 1, 3):
            model.objects.create(words=f"w{model.objects.count()}", at_ms=ms(2026, month, 5))
        yield model
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS trial_note CASCADE")
        making._known.clear()

    def put(self, *, back=False):
        step = PutIntoPieces("trial_note", "at_ms")
        with connection.schema_editor() as editor:
            deed = step.database_backwards if back else step.database_forwards
            deed("trial", editor, None, None)

    def test_rows_keys_and_indexes_survive_both_ways(self, note):
        rows = list(note.objects.order_by("id").values_list())

        self.put()
        self.put()  # a second time there is nothing to do

        assert making.pieces(PLAIN) == ["trial_note_2026_01", "trial_note_2026_03"]
        assert list(note.objects.order_by("id").values_list()) == rows
        making.ensure(PLAIN, ms(2026, 2, 1), ms(2026, 2, 2))
        assert note.objects.create(words="new", at_ms=ms(2026, 2, 1)).pk == 4
        self.refuses(note)

        self.put(back=True)

        assert making.pieces(PLAIN) == []
        assert note.objects.count() == 4
        assert note.objects.create(words="more", at_ms=1).pk > 4
        self.refuses(note)

    def refuses(self, note):
        with pytest.raises(IntegrityError, match=r"words_at_ms|once"), transaction.atomic():
            note.objects.create(words="w0", at_ms=ms(2026, 1, 5))
        with pytest.raises(IntegrityError, match=r"positive|no partition"), transaction.atomic():
            note.objects.create(words="negative", at_ms=-1)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_indexes WHERE tablename = 'trial_note'"
                " AND indexdef LIKE '%%words%%'"
            )
            assert cursor.fetchone()[0] >= 2
            cursor.execute(
                "SELECT count(*) FROM pg_constraint WHERE conrelid = 'trial_note'::regclass"
                " AND contype = 'f'"
            )
            assert cursor.fetchone()[0] == 1

    def test_a_unique_constraint_without_the_time_is_refused(self, note):
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE trial_note ADD CONSTRAINT word_once UNIQUE (words)")

        with pytest.raises(rebuilding.UnfitTableError, match="word_once"):
            self.put()
        assert note.objects.count() == 3

    def test_whole_months_are_dropped_and_the_rest_deleted(self, note):
        self.put()
        note.objects.create(words="later", at_ms=ms(2026, 3, 20))

        assert making.drop_before(PLAIN, ms(2026, 3, 10)) == (1, 1)

        assert list(note.objects.values_list("words", flat=True)) == ["later"]
        assert making.pieces(PLAIN) == ["trial_note_2026_03"]
        making.ensure(PLAIN, ms(2026, 1, 1), ms(2026, 1, 2))
        assert making.pieces(PLAIN) == ["trial_note_2026_01", "trial_note_2026_03"]

    def test_rivals_make_a_piece_once(self, note):
        self.put()

        def make(_number):
            making._known.clear()
            try:
                making.ensure(PLAIN, ms(2027, 5, 1), ms(2027, 8, 1))
            finally:
                connection.close()

        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(make, range(16)))

        assert [name for name in making.pieces(PLAIN) if "2027" in name] == [
            f"trial_note_2027_0{month}" for month in (5, 6, 7)
        ]
