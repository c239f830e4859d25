print("lob")
