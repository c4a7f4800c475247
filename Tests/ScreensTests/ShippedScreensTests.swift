import Screens
import Testing

@Suite("The shipped screens")
struct ShippedScreensTests {
    @Test("hold nothing that the checks object to")
    func areClean() {
        #expect(Shipped.files.count >= 30)
        #expect(Shipped.library.diagnostics.map(\.description) == [])
    }

    @Test("are drawn for every screen of the floor, at the sizes that are promised")
    func haveSizes() {
        let promised = ["signin", "tasks", "bin", "count", "close", "question"]
        for name in promised {
            #expect(
                Set(Shipped.library.screens[name]?.sizes ?? []) == [
                    GridSize(20, 8), GridSize(20, 16), GridSize(40, 8), GridSize(80, 24),
                ], "\(name)")
        }
        for (name, screen) in Shipped.library.screens {
            #expect(Set(screen.sizes).isSuperset(of: [GridSize(20, 16), GridSize(80, 24)]), "\(name)")
        }
    }

    @Test("trusted or not, are the same screens")
    func trusted() {
        let library = ScreenLibrary.load(files: Shipped.files, isTrusted: true)
        #expect(library.diagnostics == [] && library.screens.count == Shipped.library.screens.count)
        let state = ScreenState(values: Samples.typical)
        let size = GridSize(80, 24)
        #expect(
            library.render("count", size: size, state: state, language: "de")
                == Shipped.library.render("count", size: size, state: state, language: "de"))
    }
}
