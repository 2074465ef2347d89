"""What is measured in what: the units, by the names that people write."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Unit:
    """`factor` of the measure's base unit; `offset` where its zero is not the base's (°C, °F)."""

    name: str
    measure: str
    factor: Fraction
    offset: Fraction = Fraction(0)

    def to_base(self, value: Fraction) -> Fraction:
        return value * self.factor + self.offset

    def from_base(self, value: Fraction) -> Fraction:
        return (value - self.offset) / self.factor


# The first name is the one that answers use. Capitals matter only where two differ by them.
TABLE: dict[str, tuple[tuple[str, str], ...]] = {
    "length": (
        ("mm мм millimetre millimetres millimeters миллиметров", "1/1000"),
        ("cm см centimetre centimetres centimeters сантиметров", "1/100"),
        ("m м metre metres meter meters метр метра метров", "1"),
        ("km км kilometre kilometres kilometer kilometers километр километра километров", "1000"),
        ("in inch inches дюйм дюйма дюймов", "127/5000"),
        ("ft foot feet фут фута футов", "381/1250"),
        ("yd yard yards ярд ярда ярдов", "1143/1250"),
        ("mi mile miles миля мили миль", "201168/125"),
    ),
    "mass": (
        ("mg мг milligrams миллиграммов", "1/1000"),
        ("g г gram grams грамм грамма граммов", "1"),
        ("kg кг kilogram kilograms kilo килограмм килограмма килограммов", "1000"),
        ("t т tonne tonnes тонна тонны тонн", "1000000"),
        ("oz ounce ounces унция унции унций", "45359237/1600000"),
        ("lb lbs pound pounds фунт фунта фунтов", "45359237/100000"),
    ),
    "time": (
        ("ms мс milliseconds миллисекунд", "1/1000"),
        ("s с sec сек second seconds секунда секунды секунд", "1"),
        ("min мин minute minutes минута минуты минут", "60"),
        ("h ч hour hours час часа часов", "3600"),
        ("d д day days день дня дней", "86400"),
        ("wk week weeks неделя недели недель", "604800"),
    ),
    "data": (
        ("bit bits бит битов", "1/8"),
        ("B Б byte bytes байт байта байтов", "1"),
        ("kB кБ КБ kilobytes килобайт", "1000"),
        ("MB МБ megabytes мегабайт", "1000000"),
        ("GB ГБ gigabytes гигабайт", "1000000000"),
        ("TB ТБ terabytes терабайт", "1000000000000"),
        ("KiB КиБ kibibytes", "1024"),
        ("MiB МиБ mebibytes", "1048576"),
        ("GiB ГиБ gibibytes", "1073741824"),
        ("TiB ТиБ tebibytes", "1099511627776"),
    ),
}
UNITS: dict[str, Unit] = {}
for _measure, _rows in TABLE.items():
    for _names, _factor in _rows:
        for _name in _names.split():
            UNITS[_name] = Unit(_names.split()[0], _measure, Fraction(_factor))
for _names, _factor, _offset in (
    ("°C C celsius цельсия градусов", "1", "27315/100"),
    ("°F F fahrenheit фаренгейта", "5/9", "45967/180"),
    ("K К kelvin кельвин кельвинов", "1", "0"),
):
    for _name in _names.split():
        UNITS[_name] = Unit(_names.split()[0], "temperature", Fraction(_factor), Fraction(_offset))
_FOLDED: dict[str, Unit] = {}
for _name, _unit in UNITS.items():
    _FOLDED.setdefault(_name.casefold(), _unit)


def find(name: str) -> Unit | None:
    """As it is written; else whatever its capitals."""
    return UNITS.get(name) or _FOLDED.get(name.casefold())


# What the manifest's patterns know: all words would be too costly a pattern.
SYMBOLS = tuple(dict.fromkeys(name for name in map(str.casefold, UNITS) if len(name) <= 3))
