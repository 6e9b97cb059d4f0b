"""What keeps our processes and directories from outliving the test process, however that ends."""
