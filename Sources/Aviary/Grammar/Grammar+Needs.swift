// The problems of the body: hunger, thirst, cold and wounds.
extension Grammar {
  static let needs = """
    hungry
    problem: {hero} got very hungry
    problem: {hero} felt so hungry that {his} belly rumbled
    problem: {hero} had nothing to eat and felt hungry
    attempt: {he} looked for something to eat but found only stones.
    attempt: {hero} said, "I am so hungry."
    attempt: {hero} sniffed the air, but there was no smell of food.
    event helped: {friend} shared some {+food} with {hero}
    event helped: {friend} brought a bag full of {+food}
    event helped: {friend} gave {hero} half of {friend.his} {+food}
    event helped: {friend} {manner} looked for {+food} and gave them to {hero}
    event managed: {hero} found a bag of {+food} {+nook}
    event managed: {hero} remembered that there were some {+food} in {his} bag
    event failed: {hero} found a bag of {+food}, but it was empty
    event failed: all the {+food} were gone before {hero} got there
    event consoled: {friend} had no {+food} left but told {hero} a funny story
    event consoled: {friend} looked for {+food} too but found none
    ending helped: {hero} ate the {food} and thanked {friend}
    ending helped: {hero} and {friend} ate the {food} until they were full
    ending helped: the {food} were good, and {hero} was {glad} to have a friend like {friend}
    ending managed: {hero} ate all the {food} and was full
    ending managed: {hero} was not hungry any more and felt {glad}
    ending failed: {hero} stayed hungry and {sad}
    ending failed: {hero} dreamed of {food} with an empty belly
    ending consoled: {hero} was still hungry, but {friend} made {him} laugh
    ending consoled: {hero} forgot the hunger because {friend} was so kind

    thirsty
    premise: weather+hot
    problem: {hero} got very thirsty
    problem: {hero} felt so thirsty that {he} had to sit down
    problem: the heat made {hero} thirsty
    attempt: {he} looked for a well, but it was dry.
    attempt: {hero} said, "I am so thirsty."
    attempt: {hero} turned {his} cup over, but not one drop was left.
    event helped: {friend} gave {hero} a cup of {+drink}
    event helped: {friend} {manner} poured some {+drink} for {hero}
    event helped: {friend} shared a bottle of {+drink} with {hero}
    event managed: {hero} found a bottle of {+drink} {+nook}
    event managed: {hero} remembered that there was some {+drink} in {his} bag
    event failed: {hero} found a bottle of {+drink}, but it was empty
    event failed: there was no {+drink} left for {hero}
    event consoled: {friend} had no {+drink} left but fanned {hero} with a leaf
    event consoled: {friend} looked for some {+drink} but found none
    ending helped: {hero} drank the {drink} and thanked {friend}
    ending helped: the {drink} tasted sweet, and {hero} and {friend} were {glad}
    ending managed: {hero} drank all the {drink} and felt {glad}
    ending managed: the {drink} tasted sweet, and {hero} was not thirsty any more
    ending failed: {hero} stayed thirsty and dreamed of {drink}
    ending failed: {hero} was still thirsty and {sad}
    ending consoled: {hero} was still thirsty, but {friend} found a shady seat for {him}
    ending consoled: {hero} and {friend} dreamed of {drink} together

    cold
    premise: weather+cold
    problem: {hero} began to shiver with cold
    problem: {hero} was so cold that {he} could not stop shaking
    problem: the cold made {hero} shiver
    attempt: {he} hopped up and down but did not get warm.
    attempt: {hero} said, "I am so cold."
    attempt: {hero} blew on {his} toes, but they were still cold.
    event helped: {friend} wrapped {hero} in a {+clothing}
    event helped: {friend} gave {hero} a {+clothing}
    event helped: {friend} ran home and came back with a {+clothing}
    event managed: {hero} found a {+clothing} {+nook} and put it on
    event managed: {hero} made a small fire and put on a {+clothing}
    event failed: {hero} found only a {+clothing} full of holes
    event failed: {hero} had no {+clothing} to put on
    event consoled: {friend} had no {+clothing} but sat close to {hero}
    event consoled: {friend} looked for a {+clothing} but found none
    ending helped: the {clothing} kept {hero} warm, and {he} thanked {friend}
    ending helped: {hero} was warm in the {clothing} that {friend} had brought
    ending managed: the {clothing} kept {hero} warm
    ending managed: {hero} was warm and {glad} in the {clothing}
    ending failed: {hero} shivered and wished for a {clothing}
    ending failed: {hero} stayed cold without a {clothing} and was {sad}
    ending consoled: {hero} was still cold without a {clothing}, but {friend} stayed close
    ending consoled: {hero} and {friend} shivered together and became better friends

    hurt
    problem: {hero} fell and hurt {his} {+limb}
    problem: {hero} bumped into a rock and hurt {his} {+limb}
    problem: {hero} hurt {his} {+limb} on a sharp stone
    attempt: {he} could not move the {limb}.
    attempt: {hero} rubbed the {limb}, but it still ached.
    attempt: "My {limb} hurts," said {hero}.
    event helped: {friend} wrapped the {limb} in a {+remedy}
    event helped: {friend} put a {+remedy} on the {limb}
    event helped: {friend} {manner} cleaned the {limb} and tied a {+remedy} around it
    event managed: {hero} washed the {limb} and tied a {+remedy} around it
    event managed: {hero} put a {+remedy} on the {limb} and rested
    event failed: the {limb} hurt more and more, and there was no {+remedy}
    event failed: {hero} looked for a {+remedy} but found none
    event consoled: {friend} had no {+remedy} but sat beside {hero}
    event consoled: {friend} looked for a {+remedy} but found none
    ending helped: the {limb} felt better, and {hero} thanked {friend}
    ending helped: {hero} could use the {limb} again and danced with {friend}
    ending helped: thanks to the {remedy}, {hero} could play with {friend} again
    ending managed: the {limb} felt better, and {hero} was {glad}
    ending managed: thanks to the {remedy}, {hero} could use the {limb} again
    ending failed: the {limb} still hurt, and {hero} was {sad}
    ending failed: {hero} limped away with a sore {limb}
    ending consoled: the {limb} still hurt, but {friend} made {hero} laugh
    ending consoled: {hero} had a sore {limb} but was {glad} that {friend} was there
    """
}
