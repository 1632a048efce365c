"""Well-known puzzles by their fingerprints: a new item that shows one of them is that puzzle in other clothes.

A fingerprint is a few stems that only this puzzle has together, in any order; `|` between stems means either.
"""

import re
from functools import lru_cache

FINGERPRINTS: dict[str, tuple[str, ...]] = {
    "the elevator and the umbrella": ("elevator|lift", "short|reach|umbrella", "floor"),
    "the surgeon who is the mother": ("surgeon|doctor", "son", "operate"),
    "the wolf, the goat and the cabbage": ("wolf|fox", "goat|sheep|chicken", "cabbage|grain"),
    "the two doors and the two guards": ("door", "guard", "truth", "lie", "freedom|castle|heaven"),
    "the bat and the ball": ("bat", "ball", "1.10|dollar"),
    "the lily pads": ("lil", "doubl", "lake|pond"),
    "the machines and the widgets": ("machine", "widget"),
    "the hundred prisoners": ("prisoner", "hat|box|light bulb"),
    "the three switches": ("switch", "bulb", "room"),
    "the twelve coins": ("twelve|12", "coin|ball", "balance|scale", "heavier or lighter"),
    "the two ropes that burn": ("rope|fuse", "burn", "minutes|hour"),
    "the three jugs of eight, five and three": ("8", "5", "3", "4", "litre|gallon|pint", "jug|pitcher"),
    "the five- and three-gallon jugs": ("5-gallon|five-gallon|5 gallon", "3-gallon|three-gallon|3 gallon"),
    "the bridge and torch of 1, 2, 5 and 10": ("bridge", "torch|flashlight|lantern", "1, 2, 5, 10|one, two, five"),
    "Monty Hall as everyone tells it": ("three doors", "goat", "car"),
    "the man in the bar and the glass of water": ("bar", "glass of water", "gun"),
    "the albatross soup": ("albatross|seagull", "restaurant", "taste|ate|order"),
    "the dead man with a pack on his back": ("dead", "field", "pack|parachute"),
    "the puddle under the hanged man": ("hang", "puddle|water|ice", "room"),
    "the cowboy who rode in on Friday": ("cowboy|rode|rides", "friday", "horse|leaves|left"),
    "the sphinx": ("four legs|four feet", "morning", "evening"),
    "the footsteps": ("more you take", "leave behind|left behind"),
    "the hole": ("more you take away|more you take from", "larger|bigger"),
    "the map": ("cities", "no houses|without houses", "water"),
    "the echo": ("speak without a mouth", "hear without ears"),
    "the towel": ("wetter", "dries|drying"),
    "the candle": ("tall when", "young", "short when"),
    "the keyboard": ("keys", "space", "room"),
    "the piano": ("keys", "open no|no lock|cannot open"),
    "your name": ("belongs to you", "others use|other people use|more than you"),
    "the river": ("mouth", "bed", "never sleeps|never eats|run"),
    "the age": ("goes up", "never comes down|never goes down"),
    "the coin": ("head", "tail", "no body"),
    "the letter e": ("beginning of", "end of", "eternity|everything"),
    "the letter m": ("once in a minute", "twice in a moment"),
    "forward I am heavy": ("forward", "heavy", "backward"),
    "the match that is lit first": ("match", "lamp|candle", "light first|lit first|light up first"),
    "the rooster on the roof": ("rooster", "egg", "roof"),
    "the electric train": ("electric train", "smoke"),
    "the pound of feathers": ("pound|kilo", "feathers", "bricks|lead|steel"),
    "months with 28 days": ("months", "28 days"),
    "the animals on the ark": ("moses|noah", "ark", "how many"),
    "all but nine": ("all but", "sheep", "17|seventeen"),
    "the snail in the thirty-foot well": ("snail|frog", "well", "30|thirty"),
    "the missing dollar": ("dollar", "hotel|room", "bellboy|bellhop|clerk"),
    "the zebra puzzle": ("zebra", "norwegian|englishman", "house"),
    "the siblings with as many brothers as sisters": ("as many brothers as sisters", "twice as many"),
    "the boy or girl paradox": ("two children", "at least one", "boy"),
    "the birthday paradox": ("birthday", "23|twenty-three", "share|same"),
    "the barber": ("barber", "shave", "themselves"),
    "the horses race": ("25 horses|twenty-five horses",),
    "the egg drop": ("eggs", "floor", "100|hundred", "break"),
    "the blue eyes": ("island", "blue eyes"),
    "the pirates and the gold": ("pirates", "gold", "vote"),
    "Saint Ives": ("st ives|st. ives|saint ives", "wives"),
}
"""Each puzzle by the name it goes by, and its stems."""


def famous(text: str) -> str:
    """The well-known puzzle that a text is; empty when it is none of these."""
    folded = " ".join(text.casefold().replace("’", "'").split())
    return next((name for name, stems in _patterns() if all(stem.search(folded) for stem in stems)), "")


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, list[re.Pattern[str]]]]:
    def pattern(stem: str) -> re.Pattern[str]:
        return re.compile("|".join(rf"(?<!\w){re.escape(part)}" for part in stem.split("|")))

    return [(name, [pattern(stem) for stem in stems]) for name, stems in FINGERPRINTS.items()]
