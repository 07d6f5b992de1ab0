Console.WriteLine("scstd");
