from signalbox.main import main

main()
