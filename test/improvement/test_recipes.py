"""Recipes: what is wrong with one is told with its file and line."""

from dataclasses import asdict, dataclass, field
import pickle

from hypothesis import example, given, settings
from hypothesis import strategies as st
import pytest

from enpire_nodes.common.errors import ErrorCode, StationError
from enpire_nodes.improvement.recipes import describe, read_recipe, recipe_from, RecipeError
from enpire_nodes.rollout.controllers.settings import setting


@dataclass(frozen=True)
class Inner:
    """A section below a section."""

    deep: bool = setting(False, 'is it')


@dataclass(frozen=True)
class Training:
    """How it is learned."""

    rate: float = setting(5e-5, 'of learning', minimum=1e-6, maximum=0.1)
    batch: int = setting(64, 'transitions', minimum=8, maximum=128, unit='rows')
    inner: Inner = field(default_factory=Inner)


@dataclass(frozen=True)
class Toy:
    """A recipe."""

    algorithm: str = setting('bc', 'what learns', choices=('bc', 'rl'))
    path: str = setting('', 'of something')
    training: Training = field(default_factory=Training)

    def problems(self):
        if self.algorithm == 'rl' and self.training.batch < 32:
            yield 'training.batch', 'rl needs 32'
        if self.path == 'nowhere':
            yield 'training.inner.deep', 'must be true to go nowhere'


@pytest.fixture
def read(tmp_path):
    def call(text):
        path = tmp_path / 'recipe.yaml'
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_recipe(path, Toy)

    return call


@pytest.mark.parametrize('text', ['', '# nothing\n', 'training:\n', 'training: {}\n', '~'])
def test_what_is_left_out_takes_its_default(read, text):
    assert read(text) == Toy()


def test_what_is_there_is_taken(read):
    text = 'algorithm: rl\ntraining:\n  batch: 32\n  rate: 0.1\n  inner: {deep: yes}\n'
    assert read(text) == Toy('rl', '', Training(0.1, 32, Inner(True)))


@pytest.mark.parametrize('number', ['1e-4', '1E-4', '1.0e-4', '0.0001'])
def test_a_float_is_written_as_people_write_it(read, number):
    assert read(f'training:\n  rate: {number}\n').training.rate == 1e-4


def test_a_whole_number_is_a_float(tmp_path):
    @dataclass(frozen=True)
    class Wide:
        rate: float = setting(0.5, 'of it', minimum=0.0, maximum=5.0)

    path = tmp_path / 'recipe.yaml'
    path.write_text('rate: 1\n', 'utf-8')
    assert type(read_recipe(path, Wide).rate) is float


WRONG = [
    ('a: 1\n', 1, 'a', 'is no setting; there are algorithm, path, training'),
    ('# x\n\nalgoritm: bc\n', 3, 'algoritm', 'did you mean algorithm?'),
    ('training:\n  bach: 9\n', 2, 'training.bach', 'did you mean batch?'),
    ('training:\n  inner:\n    deeep: 9\n', 3, 'training.inner.deeep', 'did you mean deep?'),
    ('training:\n  batch: many\n', 2, 'training.batch', 'must be of type int'),
    ('training:\n  batch: true\n', 2, 'training.batch', 'must be of type int'),
    ('training:\n  batch:\n', 2, 'training.batch', 'None must be of type int'),
    ('training:\n  batch: [9]\n', 2, 'training.batch', 'must be of type int'),
    ('training:\n  rate: fast\n', 2, 'training.rate', 'must be of type float'),
    ('training:\n  rate: .nan\n', 2, 'training.rate', 'must be finite'),
    ('training:\n  rate: "0.01"\n', 2, 'training.rate', 'must be of type float'),
    ('training:\n  batch: 129\n', 2, 'training.batch', 'must be at most 128 rows'),
    ('training:\n  batch: 7\n', 2, 'training.batch', 'must be at least 8 rows'),
    ('path:\n\n- x\n', 3, 'path', 'must be of type str'),
    ('path: 12\n', 1, 'path', 'must be of type str'),
    ('algorithm: sac\n', 1, 'algorithm', "'sac' must be one of bc, rl"),
    ('algorithm: bc\npath: x\nalgorithm: rl\n', 3, 'algorithm', 'is given twice'),
    ('training: {batch: 9}\ntraining: {rate: 0.1}\n', 2, 'training', 'is given twice'),
    ('\ntraining: 3\n', 2, 'training', 'must be a mapping'),
    ('training:\n  - batch\n', 2, 'training', 'must be a mapping'),
    ('- algorithm\n', 1, '', 'must be a mapping'),
    ('algorithm: rl\ntraining:\n  batch: 16\n', 3, 'training.batch', 'rl needs 32'),
    ('path: nowhere\ntraining:\n  rate: 0.1\n', 2, 'training.inner.deep', 'must be true'),
    ('path: nowhere\n', 0, 'training.inner.deep', 'must be true'),
    ('training:\n  batch: 2020-13-45\n', 2, 'training.batch', 'is no YAML'),
    ('training:\n  batch: !!int many\n', 2, 'training.batch', 'is no YAML'),
    ('training:\n  batch: !rows 9\n', 2, 'training.batch', 'is no YAML'),
    ('training:\n  batch: !!python/object:os.system 9\n', 2, 'training.batch', 'is no YAML'),
    ('? [a, b]\n: 3\n', 1, None, 'is no setting'),
]


@pytest.mark.parametrize(('text', 'line', 'key', 'reason'), WRONG)
def test_every_mistake_is_told_with_its_line(read, tmp_path, text, line, key, reason):
    with pytest.raises(RecipeError) as caught:
        read(text)
    error = caught.value
    assert error.code == ErrorCode.IMPROVEMENT_RECIPE_INVALID
    where = f'{tmp_path / "recipe.yaml"}:{line}' if line else str(tmp_path / 'recipe.yaml')
    assert error.message.startswith(f'{where}: {key}: ' if key else f'{where}: ')
    assert reason in error.message
    assert error.line == line
    assert key is None or error.key == key


@pytest.mark.parametrize(
    ('text', 'line'),
    [
        ('algorithm: [bc\n', 2),
        ('algorithm: bc\n  path: x\n', 2),
        ('a: 1\n\tb: 2\n', 2),
        ('path: *missing\n', 1),
        ('path: x\n---\npath: y\n', 2),
        (b'path: \x00\n', 0),
        (b'path: \xff\xfe\n', 0),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(read, tmp_path, text, line):
    with pytest.raises(RecipeError) as caught:
        read(text)
    assert str(tmp_path / 'recipe.yaml') in caught.value.message
    assert ('is no YAML' in caught.value.message) or ('is not UTF-8' in caught.value.message)
    assert caught.value.line == line


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(RecipeError, match=r'recipe\.yaml: cannot be read: No such file'):
        read_recipe(tmp_path / 'recipe.yaml', Toy)


def test_the_error_survives_a_process(read):
    with pytest.raises(RecipeError) as caught:
        read('a: 1\n')
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.code, copy.message) == (caught.value.code, caught.value.message)


def test_a_new_file_says_everything_and_reads_as_the_defaults(read):
    text = describe(Toy)
    assert read(text) == Toy()
    assert '# transitions [rows]' in text
    assert '# what learns; one of bc, rl' in text
    assert 'training:  # How it is learned\n' in text
    for name in ('algorithm', 'path', 'rate', 'batch', 'deep'):
        assert f'{name}: ' in text


@settings(max_examples=60, deadline=None)
@given(
    default=st.one_of(
        st.text(max_size=120), st.booleans(), st.integers(), st.floats(allow_nan=False, width=64)
    ).filter(lambda value: value not in (float('inf'), float('-inf')))
)
@example('words ' * 30)
@example('')
@example('two\nlines')
def test_any_default_survives_its_description(tmp_path_factory, default):
    @dataclass(frozen=True)
    class One:
        value: type(default) = setting(default, 'of anything')  # noqa: RUF009

    path = tmp_path_factory.mktemp('recipe') / 'recipe.yaml'
    path.write_text(describe(One), 'utf-8')
    assert read_recipe(path, One) == One(default)


def test_a_checkpoint_holds_the_recipe(read):
    recipe = Toy('rl', 'x', Training(0.01, 33, Inner(True)))
    assert recipe_from(Toy, asdict(recipe)) == recipe
    assert recipe_from(Toy, {}) == Toy()


@pytest.mark.parametrize(
    ('values', 'said'),
    [
        ({'gone': 1}, "'gone', which Toy"),
        ({'training': {'inner': {'gone': 1}}}, "'gone', which Inner"),
        ({'training': 3}, '3 for the settings of Training'),
    ],
)
def test_a_checkpoint_of_another_schema_is_refused(values, said):
    with pytest.raises(StationError, match=said) as caught:
        recipe_from(Toy, values)
    assert caught.value.code == ErrorCode.IMPROVEMENT_CHECKPOINT_UNUSABLE
