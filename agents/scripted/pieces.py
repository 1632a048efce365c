"""The scripted model's stock pieces, with the orders that they meet; `{0}` and `{1}` are two words of the material."""

from collections.abc import Mapping
from typing import Any

Order = tuple[str, tuple[Mapping[str, Any], ...]]
"""A brief, and what it demands."""

ORDERS: Mapping[str, Order] = {
    "short_story": (
        'A short story of at most 150 words, please, about the "{0}" and the "{1}", told by somebody who was there.',
        ({"kind": "max_words", "number": 150},),
    ),
    "poem": (
        'I need a haiku for the night when the "{0}" met the "{1}"; five, seven and five syllables.',
        ({"kind": "syllables_per_line", "style": "haiku"},),
    ),
    "dialogue_scene": (
        'Write a dialogue between "Ines" and "Tomas" about the "{0}" and the "{1}", each line as "Name: words".',
        ({"kind": "dialogue", "words": ["Ines", "Tomas"]},),
    ),
    "song": (
        'Lyrics on the "{0}" and the "{1}" with the sections "Verse 1", "Chorus", "Verse 2"; one line returns 3 times.',
        ({"kind": "sections", "words": ["Verse 1", "Chorus", "Verse 2"]}, {"kind": "refrain", "number": 3}),
    ),
    "essay_op_ed": (
        'Our paper needs an op-ed of at most 160 words with a headline: does the "{0}" come before the "{1}" or not?',
        ({"kind": "max_words", "number": 160}, {"kind": "titled"}),
    ),
    "speech": (
        'A speech of at most 150 words on the "{0}" and the "{1}", in which 3 sentences begin with "I remember".',
        ({"kind": "anaphora", "words": ["I remember"], "number": 3}, {"kind": "max_words", "number": 150}),
    ),
    "advertisement": (
        'Make a small print advertisement of at most 60 words from this, with the "{0}" and the "{1}" in it.',
        ({"kind": "max_words", "number": 60},),
    ),
    "social_post": (
        'A post of at most 280 characters for our club on the "{0}" and the "{1}", with exactly two hashtags.',
        ({"kind": "max_characters", "number": 280}, {"kind": "hashtags", "number": 2}),
    ),
    "letter": (
        'Write a letter to "Marta" from a friend who lost the "{0}" because of the "{1}" and cannot say so.',
        ({"kind": "letter", "words": ["Marta"]},),
    ),
    "product_concept": (
        'A tool for the "{0}" and the "{1}"; headings "Who it is for", "How it works" and "What it costs".',
        ({"kind": "sections", "words": ["Who it is for", "How it works", "What it costs"]},),
    ),
    "game_quest": (
        'A quest for beginners about the "{0}" and the "{1}", with the headings "Hook", "Obstacle" and "Reward".',
        ({"kind": "sections", "words": ["Hook", "Obstacle", "Reward"]},),
    ),
    "satire": (
        'Turn this into a mock press release of at most 120 words with a headline; praise the "{0}", trust the "{1}".',
        ({"kind": "max_words", "number": 120}, {"kind": "titled"}),
    ),
    "world_building": (
        'In my world the "{0}" is owed to the "{1}". Describe the town under the headings "Work", "Law" and "Feasts".',
        ({"kind": "sections", "words": ["Work", "Law", "Feasts"]},),
    ),
    "lesson_plan": (
        'Make a lesson plan of this on the "{0}" and the "{1}"; headings "Objectives", "Activities" and "Assessment".',
        ({"kind": "sections", "words": ["Objectives", "Activities", "Assessment"]},),
    ),
    "slogan_set": (
        'Exactly 4 slogans for the "{0}" and the "{1}", one per line, none of more than 6 words.',
        ({"kind": "exact_items", "number": 4}, {"kind": "max_item_words", "number": 6}),
    ),
    "continuation": (
        'Carry this on for at most 90 words; the "{0}" and the "{1}" have to turn up again.',
        ({"kind": "max_words", "number": 90},),
    ),
}

PIECES: Mapping[str, str] = {
    "short_story": (
        "I had the key to the shed, so it was I who found them: the {0} on the bench, the {1} under a sack. Somebody "
        "had polished both. My brother denied it with his mouth full of bread.\n\n"
        "We sold nothing that week. On Sunday I put everything back the way it had lain and went out, loudly, and "
        "stood behind the door. At four the old clerk came in with a rag and a tin of wax. He talked to them while he "
        "rubbed. I let him finish. Then I coughed, and handed him a second rag."
    ),
    "poem": "I count the slow waves\nthe old harbour lamp goes out\none gull keeps my name",
    "dialogue_scene": (
        "Ines: Is that the {0}, or am I looking at the bill for it?\n"
        "Tomas: I paid what I owed.\n"
        "Ines: With my half.\n"
        "(He turns the cup round so that the crack faces him.)\n"
        "Tomas: My sister asked after the {1}. I told her it had gone to the mender.\n"
        "Ines: It has no mender. I threw it into the canal on Tuesday."
    ),
    "song": (
        "[Verse 1]\nI left the {0} out in the rain\nand walked home past the bakery\n\n"
        "[Chorus]\nCarry me over, ferryman\n\n"
        "[Verse 2]\nMy mother kept the {1} in a drawer\nwith nails and unpaid letters\n\n"
        "[Chorus]\nCarry me over, ferryman\nthe far bank has no door\nCarry me over, ferryman"
    ),
    "essay_op_ed": (
        "# First the {0}\n\n"
        "Last winter I waited an hour for a council that could not agree. One half wanted the {1} and the other a "
        "quiet life. I was with the second half then, and I was wrong.\n\n"
        "What we put off does not wait in a cupboard. It grows, like damp. My neighbour did without, saved ninety "
        "pounds, and paid four hundred in March.\n\n"
        "Some will say that nobody voted for this. True, and nobody voted for the damp. Let us begin with what rots "
        "soonest, and argue about paint when the wall is dry."
    ),
    "speech": (
        "Neighbours, the treasurer has given me two minutes, and she counts. I remember the {0} when it stood in the "
        "yard under a tarpaulin. I remember who laughed, because I was among them. I remember the {1} most of all, and "
        "the face of the boy who carried it in. Tonight it belongs to all of us, and so does the bill. Those who "
        "laughed may pay first. My hat is by the door."
    ),
    "advertisement": (
        "My aunt trusts nobody, and she queues here at six. The {0} is mixed by hand. The {1} is cut while we watch. "
        "It is sold until it is gone, and then I go home. Bring a bag and small coins."
    ),
    "social_post": (
        "I swore I would never get up early for the {0}. Saturday, six o'clock, I did it for the {1} and came home "
        "with wet boots and a grin. We go again this week. #earlyclub #wetboots"
    ),
    "letter": (
        "Dear Marta,\n\n"
        "The shelf is empty, and the window was open, and the rest is weather. I know what the {0} was to our "
        "grandfather. I have asked about the {1} in three shops; they have grey ones.\n\n"
        "Come in May, when the boat runs. I shall have cleaned by then.\n\n"
        "With love,\nOskar"
    ),
    "product_concept": (
        "## Who it is for\nFor people like my uncle, who meet the {0} with wet hands.\n\n"
        "## How it works\nA spring holds the {1} shut until a thumb says otherwise. "
        "I built the first one from a clothes peg.\n\n"
        "## What it costs\nNine pounds, and a new spring each spring. My risk is rust."
    ),
    "game_quest": (
        "## Hook\nI was paid to guard the {0}, says the drunk at the well, and I guarded it badly.\n\n"
        "## Obstacle\nThe {1} opens only for somebody who owes money. Borrow a coin from the ferryman first.\n\n"
        "## Reward\nA whistle that calls whoever heard my story last."
    ),
    "satire": (
        "# Office of Delays Ahead of Schedule\n\n"
        "We are proud to report that the {0} has been postponed twice in one quarter. I thank our forty deputies, each "
        "of whom signed where the other thirty-nine had signed. Critics ask about the {1}. We have founded a committee "
        "to admire it. Our target for next year is bolder still: to announce the same news in colour."
    ),
    "world_building": (
        "## Work\nMost of us sort the {0} before dawn. Whoever drops one sweeps for a month.\n\n"
        "## Law\nNo oath counts unless the {1} lies on the table. Our thieves swear often and sit far away from it.\n\n"
        "## Feasts\nOn the shortest day we pay each other back in nuts, and my children cheat."
    ),
    "lesson_plan": (
        "## Objectives\nPupils can say in their own words what the {0} has to do with the {1}.\n\n"
        "## Activities\n0 to 10 minutes: I show a wrong drawing, and pairs hunt for the fault. 10 to 30: each pair "
        "builds it from paper. 30 to 40: they swap and test.\n\n"
        "## Assessment\nMy exit question: what breaks first, and why?"
    ),
    "slogan_set": (
        "1. My {0}, your Monday.\n2. I came for the {1}.\n3. Late, wet, worth it.\n4. Ask me tomorrow, if there's any."
    ),
    "continuation": (
        "I waited until the boots had gone upstairs. Then I felt along the wall for the {0}, as I had been told, and "
        "found a hook, a cold pipe and somebody's sleeve.\n\n"
        '"Leave the {1}," said the sleeve. "I have been looking for it longer."\n\n'
        "We stood there and breathed. Above us a chair was moved, and sat on, and moved back."
    ),
}
