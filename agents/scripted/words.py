"""The scripted model's vocabulary: a few synonyms, and a stand-in for a foreign language.

The Greek here is a gloss, not a translation: common words have their Greek ones, the rest is written in
Greek letters. It shows what passes through a pipeline; it teaches nobody Greek.
"""

import re
from collections.abc import Callable
from functools import lru_cache

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SYNONYMS = """
about=roughly after=following all=every also=too because=since before=ahead-of began=started big=large
book=volume built=raised called=named change=alter changed=altered children=youngsters city=town
clear=plain different=distinct end=close every=each few=some found=learned
give=offer given=offered go=travel good=fine great=grand group=party help=aid helps=aids high=tall house=home
however=yet idea=notion important=weighty kept=held know=grasp known=familiar large=big last=final later=afterwards
life=existence little=small lived=dwelt long=lengthy made=formed make=form many=numerous may=might
money=funds more=further most=nearly-all must=has-to need=require needs=requires never=at-no-time new=fresh
night=evening often=frequently old=aged only=just other=further part=portion people=folk place=spot problem=difficulty
question=query result=outcome right=correct room=chamber said=stated same=identical saw=noticed school=academy
several=various show=display shows=displays small=little some=certain start=begin still=even-now stone=rock
street=road such=this-kind-of system=arrangement think=believe thought=believed time=hour told=informed
took=seized town=settlement under=beneath use=employ used=employed uses=employs using=employing
very=highly village=hamlet want=wish wanted=wished water=liquid way=manner when=once where=wherein which=that
while=whereas winter=cold-season with=alongside without=lacking word=term words=terms work=labour
world=globe write=set-down year=twelvemonth years=twelvemonths young=youthful
"""
_GREEK = """
the=το a=ένα an=ένα and=και or=ή but=αλλά not=όχι of=του in=στο on=πάνω-στο at=στο to=προς for=για from=από with=με
without=χωρίς by=από as=όπως is=είναι are=είναι was=ήταν were=ήταν be=είναι been=ήταν has=έχει have=έχουν had=είχε
it=αυτό its=του he=αυτός she=αυτή they=αυτοί their=τους his=του her=της we=εμείς our=μας you=εσείς your=σας i=εγώ
this=αυτό that=που these=αυτά those=εκείνα which=το-οποίο who=που what=τι when=όταν where=όπου how=πώς why=γιατί
because=επειδή if=αν then=τότε than=από more=περισσότερο most=τα-περισσότερα all=όλα every=κάθε some=μερικά no=κανένα
one=ένα two=δύο three=τρία four=τέσσερα five=πέντε first=πρώτο second=δεύτερο last=τελευταίο new=νέο old=παλιό
man=άνδρας men=άνδρες woman=γυναίκα people=άνθρωποι house=σπίτι water=νερό day=μέρα night=νύχτα year=έτος years=χρόνια
time=χρόνος winter=χειμώνας summer=καλοκαίρι stone=πέτρα sea=θάλασσα wind=άνεμος light=φως work=δουλειά word=λέξη
book=βιβλίο city=πόλη town=πόλη village=χωριό school=σχολείο good=καλό great=μεγάλο small=μικρό long=μακρύ
could=μπορούσε can=μπορεί may=μπορεί must=πρέπει will=θα would=θα said=είπε found=βρήκε made=έκανε there=εκεί here=εδώ
after=μετά before=πριν very=πολύ also=επίσης only=μόνο never=ποτέ always=πάντα
"""
_SOUNDS = {
    "ch": "τσ", "th": "θ", "ph": "φ", "ps": "ψ", "ks": "ξ", "ou": "ου", "sh": "σ", "a": "α", "b": "μπ", "c": "κ",
    "d": "ντ", "e": "ε", "f": "φ", "g": "γκ", "h": "χ", "i": "ι", "j": "τζ", "k": "κ", "l": "λ", "m": "μ", "n": "ν",
    "o": "ο", "p": "π", "q": "κ", "r": "ρ", "s": "σ", "t": "τ", "u": "ου", "v": "β", "w": "ου", "x": "ξ", "y": "ι",
    "z": "ζ",
}  # fmt: skip
_SOUND = re.compile("|".join(sorted(_SOUNDS, key=lambda sound: -len(sound))))


@lru_cache(maxsize=2)
def _table(pairs: str) -> dict[str, str]:
    found = (pair.partition("=") for pair in pairs.split())
    return {word: other.replace("-", " ") for word, _, other in found}


def synonym(word: str) -> str:
    """A word that says nearly the same, in the same case; empty when none is known."""
    return _cased(_table(_SYNONYMS).get(word.casefold(), ""), word)


def mapped(text: str, change: Callable[[str], str]) -> str:
    """The text with each word changed."""
    return WORD.sub(lambda found: change(found[0]), text)


def greek(text: str) -> str:
    """The text in the stand-in for Greek."""
    return mapped(text, lambda word: _cased(_table(_GREEK).get(word.casefold()) or _spelt(word), word))


def _spelt(word: str) -> str:
    letters = _SOUND.sub(lambda found: _SOUNDS[found[0]], word.casefold().replace("’", "").replace("'", ""))
    return f"{letters[:-1]}ς" if letters.endswith("σ") else letters


def _cased(word: str, like: str) -> str:
    return word[:1].upper() + word[1:] if like[:1].isupper() else word
