"""What one person looks like, whoever films them."""

from dataclasses import dataclass
from typing import Literal

from modelzoo.common.synthetic.palette import RGB, pick, stream, vary

HairStyle = Literal["short", "long", "bun", "hat"]
Pattern = Literal["plain", "stripes", "two-tone", "vertical", "logo"]
Sleeves = Literal["short", "long"]
Bottom = Literal["trousers", "shorts", "skirt"]
Bag = Literal["none", "backpack", "handbag"]

HAIR_STYLES: tuple[HairStyle, ...] = ("short", "long", "bun", "hat")
PATTERNS: tuple[Pattern, ...] = ("plain", "stripes", "two-tone", "vertical", "logo")
SLEEVES: tuple[Sleeves, ...] = ("short", "long")
BOTTOMS: tuple[Bottom, ...] = ("trousers", "shorts", "skirt")
BAGS: tuple[Bag, ...] = ("none", "backpack", "handbag")

SKINS: tuple[RGB, ...] = ((246, 214, 188), (232, 190, 156), (206, 154, 116), (160, 108, 76), (108, 72, 52))
HAIRS: tuple[RGB, ...] = ((28, 24, 24), (62, 42, 30), (110, 72, 40), (196, 156, 92), (150, 148, 146))
TOPS: tuple[RGB, ...] = (
    (238, 236, 230),
    (40, 42, 50),
    (196, 48, 52),
    (52, 92, 176),
    (60, 140, 84),
    (236, 196, 72),
    (232, 128, 56),
    (150, 92, 168),
    (236, 156, 176),
    (104, 186, 204),
    (140, 140, 144),
    (116, 40, 56),
)
BOTTOM_COLOURS: tuple[RGB, ...] = (
    (44, 58, 100),
    (44, 58, 100),
    (34, 34, 40),
    (34, 34, 40),
    (92, 120, 164),
    (186, 164, 124),
    (112, 112, 116),
    (92, 98, 62),
    (224, 222, 214),
    (132, 60, 58),
)
SHOES: tuple[RGB, ...] = ((32, 30, 32), (236, 236, 236), (110, 72, 48), (190, 52, 56))
BAG_COLOURS: tuple[RGB, ...] = ((40, 44, 52), (176, 56, 52), (60, 104, 92), (150, 104, 62), (216, 172, 64))

_STREAM = 1
_HEIGHTS = (0.9, 1.0)
_BUILDS = (0.85, 1.2)


@dataclass(frozen=True, slots=True)
class Person:
    """The appearance of one identity; every colour is RGB, 0 to 255.

    Attributes:
        skin: Face, hands and bare limbs.
        hair: Hair colour.
        hair_style: How the hair is worn; "hat" is short hair under a cap.
        hat: Colour of the cap.
        height: Body height as a share of the tallest person, 0.9 to 1.
        build: Width of the body as a share of the average, 0.85 to 1.2.
        top: Main colour of the shirt.
        accent: Second colour of the shirt, unused where `pattern` is "plain".
        pattern: Pattern of the shirt; "vertical" is one broad stripe.
        sleeves: Length of the sleeves.
        bottom: Colour of the trousers, shorts or skirt.
        bottom_kind: What is worn below the waist.
        shoes: Colour of the shoes.
        bag: What is carried.
        bag_colour: Colour of the bag.
    """

    skin: RGB
    hair: RGB
    hair_style: HairStyle
    hat: RGB
    height: float
    build: float
    top: RGB
    accent: RGB
    pattern: Pattern
    sleeves: Sleeves
    bottom: RGB
    bottom_kind: Bottom
    shoes: RGB
    bag: Bag
    bag_colour: RGB

    @classmethod
    def sample(cls, identity: int, seed: int = 0) -> "Person":
        """The person that `identity` (0 or more) names in the population that `seed` names.

        Clothes come from small palettes, so that several people share a shirt or a trouser colour.

        >>> Person.sample(7) == Person.sample(7)
        True
        """
        rng = stream(_STREAM, seed, identity)
        top = pick(rng, TOPS)
        return cls(
            skin=vary(rng, pick(rng, SKINS), 6),
            hair=vary(rng, pick(rng, HAIRS), 8),
            hair_style=pick(rng, HAIR_STYLES),
            hat=vary(rng, pick(rng, TOPS), 10),
            height=float(rng.uniform(*_HEIGHTS)),
            build=float(rng.uniform(*_BUILDS)),
            top=vary(rng, top, 10),
            accent=vary(rng, pick(rng, [colour for colour in TOPS if colour != top]), 10),
            pattern=pick(rng, ("plain", *PATTERNS)),
            sleeves=pick(rng, SLEEVES),
            bottom=vary(rng, pick(rng, BOTTOM_COLOURS), 8),
            bottom_kind=pick(rng, ("trousers", "trousers", *BOTTOMS)),
            shoes=vary(rng, pick(rng, SHOES), 8),
            bag=pick(rng, ("none", *BAGS)),
            bag_colour=vary(rng, pick(rng, BAG_COLOURS), 8),
        )
