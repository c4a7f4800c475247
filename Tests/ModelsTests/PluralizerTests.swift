import Models
import Testing

@Suite("Plurals are npm pluralize's")
struct PluralizerTests {
    /// With its type said: guessing it from the pairs takes the compiler seconds, twice.
    static let plurals: [(String, String)] = [
        ("Box", "Boxes"), ("Company", "Companies"), ("Person", "People"), ("CodeMatch", "CodeMatches"),
        ("Child", "Children"), ("Sheep", "Sheep"),
        ("Entry", "Entries"), ("CountEntry", "CountEntries"), ("CountPass", "CountPasses"), ("Bin", "Bins"),
        ("Zone", "Zones"), ("Day", "Days"),
        ("Key", "Keys"), ("Bus", "Buses"), ("Status", "Statuses"), ("Alias", "Aliases"), ("Analysis", "Analyses"),
        ("Basis", "Bases"),
        ("Axis", "Axes"), ("Matrix", "Matrices"), ("Index", "Indices"), ("Vertex", "Vertices"), ("Datum", "Data"),
        ("Data", "Data"),
        ("Criterion", "Criteria"), ("Knife", "Knives"), ("Leaf", "Leaves"), ("Half", "Halves"), ("Shelf", "Shelves"),
        ("Roof", "Roofs"),
        ("Hero", "Heroes"), ("Tomato", "Tomatoes"), ("Photo", "Photos"), ("Echo", "Echoes"), ("Man", "Men"),
        ("Woman", "Women"), ("Human", "Humans"),
        ("Mouse", "Mice"), ("Blouse", "Blouses"), ("Goose", "Geese"), ("Quiz", "Quizzes"), ("Series", "Series"),
        ("Species", "Species"),
        ("News", "News"), ("Fish", "Fish"), ("Deer", "Deer"), ("Equipment", "Equipment"), ("Staff", "Staff"),
        ("Chinese", "Chinese"),
        ("Cactus", "Cacti"), ("Radius", "Radii"), ("Virus", "Viri"), ("Bonus", "Bonuses"), ("Schema", "Schemata"),
        ("ModelSchema", "ModelSchemas"),
        ("Thief", "Thieves"), ("Proof", "Proofs"), ("Valve", "Valves"), ("Lady", "Ladies"), ("Guy", "Guys"),
        ("Query", "Queries"),
        ("Soliloquy", "Soliloquies"), ("Wish", "Wishes"), ("Fizz", "Fizzes"), ("Gas", "Gases"), ("Menu", "Menus"),
        ("Sku", "Skus"), ("SKU", "SKUS"),
        ("Todo", "Todos"), ("Todos", "Todos"), ("Boxes", "Boxes"), ("People", "People"), ("Children", "Children"),
        ("Quizzes", "Quizzes"),
        ("Setting", "Settings"), ("LineVerdict", "LineVerdicts"), ("Barcode", "Barcodes"), ("bin", "bins"),
        ("Item2", "Item2s"), ("X", "XES"), ("", ""),
        ("Canvas", "Canvases"), ("Passerby", "Passersby"), ("Chassis", "Chassis"), ("Crisis", "Crises"),
        ("Iris", "Irises"), ("Atlas", "Atlases"),
        ("Emu", "Emus"), ("Album", "Albums"), ("Curriculum", "Curricula"), ("Alumna", "Alumnae"),
        ("Cherub", "Cherubim"), ("Plateaux", "Plateaux"),
        ("Money", "Monies"), ("Pokemon", "Pokemon"), ("Smallpox", "Smallpox"), ("Foot", "Feet"), ("Genus", "Genera"),
        ("Thou", "You"),
    ]

    @Test(arguments: plurals)
    func aTypesPluralIs(word: String, plural: String) {
        #expect(Pluralizer.plural(word) == plural)
    }
}
